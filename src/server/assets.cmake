# The page: built from web/ with Node where there is one, embedded gzip-compressed through a generated assembler file. Rebuilt only
# when a source of web/ changes.
find_program(LOGBOOM_NPM npm)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(LOGBOOM_NPM AND EXISTS ${CMAKE_SOURCE_DIR}/web/package.json)
  set(page_dir ${CMAKE_CURRENT_BINARY_DIR}/page)
  file(GLOB_RECURSE page_inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/*)
  list(APPEND page_inputs ${CMAKE_SOURCE_DIR}/web/package.json ${CMAKE_SOURCE_DIR}/web/package-lock.json ${CMAKE_SOURCE_DIR}/web/build.mjs
    ${CMAKE_SOURCE_DIR}/web/tsconfig.json)
  add_custom_command(
    OUTPUT ${page_dir}/assets.S ${page_dir}/assets.cc
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed_assets.py --npm ${LOGBOOM_NPM} --web ${CMAKE_SOURCE_DIR}/web --out ${page_dir}
    DEPENDS ${page_inputs} ${CMAKE_SOURCE_DIR}/tools/embed_assets.py
    COMMENT "Building and embedding the page"
    VERBATIM)
  set(LOGBOOM_PAGE_SOURCES ${page_dir}/assets.cc ${page_dir}/assets.S)
else()
  message(STATUS "npm not found: the program is built without its page")
  set(LOGBOOM_PAGE_SOURCES page_empty.cc)
endif()
