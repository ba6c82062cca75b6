        /*
         * Lab, step 2: COPY is one more area that maps the object, made by a fork or by a split, and has its
         * own reference. Whoever wants to know of that says so by object->ops, NULL for most objects (files).
         */
        vmobject_get(copy->object);
