/* <sys/msg.h>. */
#pragma once

#include <abi/msg.h>
#include <sys/ipc.h>

struct msgbuf { /* programs have structures of their own, with a long first */
    long mtype;
    char mtext[1];
};

int msgget(key_t key, int flags);
int msgsnd(int id, const void *msg, size_t size, int flags);
ssize_t msgrcv(int id, void *msg, size_t size, long type, int flags);
int msgctl(int id, int cmd, struct msqid_ds *buf);
