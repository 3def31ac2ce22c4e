#include "CKernels.h"
int ev_placeholder(void) { return 1; }
