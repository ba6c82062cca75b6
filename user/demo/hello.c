/* The smallest program with the C library: see hello.txt. */
#include <stdio.h>

int main(void)
{
    printf("Hello from C.\n");
    return 0;
}
