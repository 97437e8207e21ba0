package io.hammer2.lwkt;

import java.util.ArrayList;
import java.util.List;

/** All living threads of one cpu. Touched by that cpu only, except for impressions of the moment. */
final class ThreadList {
    private LwktThread first;

    void add(LwktThread thread) {
        thread.nextAlive = first;
        if (first != null) {
            first.previousAlive = thread;
        }
        first = thread;
    }

    void remove(LwktThread thread) {
        if (thread.previousAlive == null) {
            first = thread.nextAlive;
        } else {
            thread.previousAlive.nextAlive = thread.nextAlive;
        }
        if (thread.nextAlive != null) {
            thread.nextAlive.previousAlive = thread.previousAlive;
        }
        thread.nextAlive = null;
        thread.previousAlive = null;
    }

    /** The youngest, or null. */
    LwktThread first() {
        return first;
    }

    List<LwktThread> snapshot() {
        List<LwktThread> threads = new ArrayList<>();
        for (LwktThread thread = first; thread != null; thread = thread.nextAlive) {
            threads.add(thread);
        }
        return threads;
    }
}
