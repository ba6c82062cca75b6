    /*
     * Write: P gets SLOTS slots, more than it has; q.lock is held. 0, or:
     *   -EPERM   a size over pipe_sysctl.max_size (bytes, READ_ONCE) without CAP_SYS_RESOURCE (capable)
     *   -ENOMEM  more than SLOTS_MOST
     *   -EPERM   the user's account does not bear the difference: user_count_add(USER_PIPE_PAGES, p->charged_to,
     *            pages, limit) takes it and says false when it would pass the limit, the smaller of limit_now() of
     *            user_soft and user_hard
     * in this order. Who waits to write may go on then: wake them all.
     */
    (void)p;
    (void)slots;
    return -ENOSYS;
}

static int shrink(struct pipe *p, unsigned slots)
{
    /*
     * Write: P gets SLOTS slots, no more than it has; what it holds must fit: -EBUSY. The difference goes back to
     * the user's account (user_count_sub). q.lock is held.
     */
    (void)p;
    (void)slots;
    return -ENOSYS;
