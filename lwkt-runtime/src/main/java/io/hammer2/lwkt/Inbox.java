package io.hammer2.lwkt;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What threads that belong to no cpu have for one cpu: unbounded, any number of producers, one consumer, which takes everything
 * at once and gets it in the order in which it was put.
 */
final class Inbox {
    private static final VarHandle NEWEST;

    static {
        try {
            NEWEST = MethodHandles.lookup().findVarHandle(Inbox.class, "newest", Entry.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** One event, linked to the one put before it, and after {@link #takeAll} to the one put after it. */
    static final class Entry {
        final Object event;
        Entry next;

        Entry(Object event) {
            this.event = event;
        }
    }

    private volatile Entry newest;

    boolean isEmpty() {
        return newest == null;
    }

    void put(Object event) {
        Entry entry = new Entry(event);
        Entry before;
        do {
            before = newest;
            entry.next = before;
        } while (!NEWEST.compareAndSet(this, before, entry));
    }

    /** Everything in the inbox, the oldest first, or null. */
    Entry takeAll() {
        if (newest == null) {
            return null;
        }
        Entry entry = (Entry) NEWEST.getAndSet(this, null);
        Entry oldestFirst = null;
        while (entry != null) {
            Entry older = entry.next;
            entry.next = oldestFirst;
            oldestFirst = entry;
            entry = older;
        }
        return oldestFirst;
    }
}
