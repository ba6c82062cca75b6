    /*
     * Lab, step 2: V begins to map its object. Here it is put on the object's list. Have the object count how
     * many areas map it (struct vmobject, mm/vmobject.h says which field and which lock).
     */
    if (!v->object)
        return;
    spin_lock(&v->object->lock);
    list_push_back(&v->object->areas, &v->object_link);
    v->object->writable_maps += counts_as_writable(v);
    spin_unlock(&v->object->lock);
