        /* Lab, step 2: of one area two have been made, and object_link() had no part in it. */
