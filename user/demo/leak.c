/* A shared memory segment that outlives the process that made it, and how it is found and removed. See leak.txt. */
#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "demo.h"

#define SIZE 8192

/* Does /proc/sysvipc/shm, which ipcs(1) prints, list segment ID? */
static int is_listed(int id)
{
    FILE *table = fopen("/proc/sysvipc/shm", "r");
    char line[512];
    int found = 0, key, this_one;

    if (table == NULL) {
        perror("/proc/sysvipc/shm");
        exit(1);
    }
    while (fgets(line, sizeof line, table) != NULL)
        if (sscanf(line, "%d %d", &key, &this_one) == 2)
            found |= this_one == id;
    fclose(table);
    return found;
}

int main(void)
{
    struct shmid_ds about;
    int ends[2], id = -1;
    pid_t child;
    char *at;

    need(pipe(ends));
    child = fork_clean();
    if (child == 0) {
        id = (int)need(shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600));
        at = shmat(id, NULL, 0);
        need((long)at);
        strcpy(at, "nobody has removed me");
        need(write(ends[1], &id, sizeof id));
        _exit(0); /* detaches the memory, and that is all it does */
    }
    need(read(ends[0], &id, sizeof id));
    claim(end_of(child) == 0);
    need(shmctl(id, IPC_STAT, &about));
    printf("its maker is gone; %d processes have the segment attached\n", (int)about.shm_nattch);
    printf("it still has %d bytes, and ipcs %s it\n", (int)about.shm_segsz,
           is_listed(id) ? "lists" : "doesn't list");
    claim(about.shm_nattch == 0 && about.shm_segsz == SIZE && is_listed(id));
    at = shmat(id, NULL, 0);
    need((long)at);
    printf("it says \"%s\"\n", at);
    need(shmctl(id, IPC_RMID, NULL));
    printf("removed while we have it attached: it still says \"%s\"\n", at);
    need(shmdt(at));
    claim(shmat(id, NULL, 0) == (void *)-1 && errno == EINVAL && !is_listed(id));
    printf("with the last detach it was gone: ipcs %s it\n",
           is_listed(id) ? "lists" : "doesn't list");
    return shown();
}
