#ifndef EV_KERNELS_H
#define EV_KERNELS_H
int ev_placeholder(void);
#endif
