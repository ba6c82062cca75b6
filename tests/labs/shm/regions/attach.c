
/*
 * Lab, step 1: shmat() and shmdt(). sys_shmat maps the segment's object into the caller's address space with
 * mm_map() (mm/mm.h) and returns the address; sys_shmdt takes away what one shmat mapped. Write what helpers
 * you like.
 *
 * The place. ADDR 0: the kernel chooses. ADDR a multiple of SHMLBA: exactly there. Any other ADDR: -EINVAL,
 * but with SHM_RND it is rounded down to a multiple of SHMLBA (rounded down to 0 it is no address any more).
 * If something is mapped there already: -EINVAL, and nothing changes; but with SHM_REMAP it is replaced, and
 * then ADDR may not be 0 (-EINVAL). mm_map's MAP_FIXED_NOREPLACE (-EEXIST) and MAP_FIXED are the two. ADDR
 * plus the size may not wrap (-EINVAL). Other errors of mm_map are the caller's to know as they are.
 *
 * The rights. Readable; writable unless SHM_RDONLY; executable with SHM_EXEC. sysv_permission() asks for the
 * same of the segment's mode: 0444, 0222 and 0111 (-EACCES). What was attached with SHM_RDONLY may not be made
 * writable by a later mprotect: mm_map's max_prot. Every attach is MAP_SHARED; s->name is what /proc/PID/maps
 * shows. SHM_RDONLY together with SHM_EXEC is allowed.
 *
 * The id. Negative, or of no segment: -EINVAL, told before or after what is wrong with ADDR, as you like.
 * sysv_lock() finds the segment, with a reference and with its lock, a spinlock, held. But mm_map sleeps. So
 * unlock before it and lock afterwards, and see to it that the segment can't go away meanwhile although
 * somebody removes it and nobody else has it attached: s->attaching is there for you, and
 * destroy_if_unused(), which step 3 is about, will look at it. After the map it must be called, whether the
 * map went well or not: the segment may have been marked for removal while you slept, and then you are the
 * last. Put the reference that sysv_lock() gave (sysv_unlock_put), then the object that destroy_if_unused()
 * returned: vmobject_put frees memory and wants no lock held.
 *
 * An attach sets atime (sysv_now()) and lpid (current_proc()->pid->nr), under the lock; one that failed
 * leaves both as they were.
 *
 * shmdt: ADDR is what shmat returned. Not a multiple of SHMLBA, or nothing of a segment there: -EINVAL. The
 * work is mm_detach()'s, in mm/map.c; &segment_ops is how it knows an area of a segment.
 */
long sys_shmat(int id, unsigned long addr, int flags)
{
    (void)id;
    (void)addr;
    (void)flags;
    return -ENOSYS;
}

long sys_shmdt(unsigned long addr)
{
    (void)addr;
    return -ENOSYS;
}

