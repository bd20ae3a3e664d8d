// Holds the header to compiling alone; BoundedQueue is a template.
#include "queue/bounded_queue.h"
