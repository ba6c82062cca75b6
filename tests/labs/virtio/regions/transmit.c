    /*
     * YOURS (step 5): P lies in N pieces, its virtio header in front (N is 0 when it can't be described).
     *
     * Under tx->lock: first take back what is already sent (reclaim() onto the list DONE), then put the packet in;
     * the device only reads it, and P is the token. Nothing is told to the device here: the caller does that by
     * kick(), once for many packets.
     *
     * No room (-ENOSPC): the device must learn of what is in the ring (virtqueue_notify) and send an interrupt when
     * much of it is done (virtqueue_listen_later). That may have happened meanwhile: then reclaim, and try once more.
     * If there is still no room: take the header off again (packet_pull) and return false. The caller keeps P, sends
     * nothing until netdev_resume(), and then gives it to you again.
     *
     * Any other error: the packet is lost as on a bad wire: count it (tx_errors), free it, true.
     * After the lock: free_all(&done). True: P isn't the caller's any more.
     */
    (void)error;
    (void)tx;
    free_all(&done);
    netdev_count(dev)->tx_errors++;
    packet_free(p);
    return true;
