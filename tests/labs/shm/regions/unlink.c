    /* Lab, step 2: and here it leaves the list. */
    if (!v->object)
        return;
    spin_lock(&v->object->lock);
    list_remove(&v->object_link);
    v->object->writable_maps -= counts_as_writable(v);
    spin_unlock(&v->object->lock);
