/* What core.c and core_notes.c share. */
#pragma once

#include "proc/proc.h"

struct file;

/* An area of memory as the core file has it. */
struct core_area {
    uintptr_t start, end;
    uintptr_t saved_end; /* [start, saved_end) is in the file, what follows is not */
    unsigned prot;
    uint64_t offset;   /* in its file */
    struct file *file; /* NULL for none; a reference is held */
};

/* A core file in the making. Owner only: the thread that writes it. */
struct core {
    const siginfo_t *info;   /* what the process dies of */
    struct thread **threads; /* the current one first; all others wait */
    size_t nthreads;
    struct core_area *areas;
    size_t nareas;
    struct file *file;
    off_t pos;             /* where the next byte goes */
    uint64_t written;      /* bytes that are no holes */
    uint64_t limit;        /* of those: RLIMIT_CORE */
    bool failed;           /* nothing more can be written */
    size_t file_note_size; /* of NT_FILE's contents; 0: left out */
};

/* Append to the file, unless that has failed already. */
void core_write(struct core *c, const void *data, size_t n);

/* core_notes.c: how many bytes all notes have (0: no memory), and writing them. */
size_t core_notes_size(struct core *c);
void core_write_notes(struct core *c);
