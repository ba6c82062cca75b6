
/*
 * Lab, step 1: what shmdt(ADDR) takes away. ADDR is where an attach began: the area that shows offset 0 of its
 * object began there once. By now the program may have unmapped pieces of it, mapped something else in their
 * place, or changed the protection of a part, so that of the one area there are several, with holes and
 * strangers between. Remove, with mm->lock held (mm_lock, mm_unlock):
 *
 * - every area of THAT object which still lies where the attach put it: from ADDR on, and as far from ADDR as
 *   its ->offset says;
 * - nothing else: other objects, other attaches of the same object, private memory stay.
 *
 * The first area that qualifies says which object it is (its beginning may have been unmapped already, so it
 * need not begin at ADDR); the object's size, in whole pages, says where to stop looking. An object is a
 * segment's when its ->ops are OPS. No such area: -EINVAL. mm_find() gives the area at an address or the next
 * one above, vma_next() the one after; mm_unmap_locked() frees the area that it unmaps, so ask for the next
 * before.
 */
int mm_detach(struct mm *mm, uintptr_t addr, const struct vmobject_ops *ops)
{
    (void)mm;
    (void)addr;
    (void)ops;
    return -ENOSYS;
}

