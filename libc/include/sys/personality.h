/* <sys/personality.h>. */
#pragma once

int personality(unsigned long persona);
