// Where an operation ends with an error because memory is used up, rather than the process: at the boundary of what can
// be given up and begun anew without harm. Elsewhere std::bad_alloc is not caught: the process ends, and its next start
// goes on from what is durable.
#pragma once

#include <new>
#include <utility>

#include "base/result.h"

namespace logboom {

// What `work` gives, a Status or a Result; kUnavailable where an allocation in it failed.
template <typename Work>
auto unless_out_of_memory(Work&& work) -> decltype(std::forward<Work>(work)()) {
  try {
    return std::forward<Work>(work)();
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kUnavailable, "memory is used up");
  }
}

}  // namespace logboom
