/* <sys/klog.h>. */
#pragma once

int klogctl(int type, char *buf, int size);
