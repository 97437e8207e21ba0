package io.hammer2.lwkt;

/** The runnable threads of one cpu: 32 priorities, round robin inside each. Touched by its own cpu only. */
final class RunQueue {
    static final int LEVELS = 32;

    private final LwktThread[] head = new LwktThread[LEVELS];
    private final LwktThread[] tail = new LwktThread[LEVELS];
    private int levelsInUse; // bit p: level p is not empty

    boolean isEmpty() {
        return levelsInUse == 0;
    }

    void add(LwktThread thread) {
        int level = thread.priority();
        if (head[level] == null) {
            head[level] = thread;
            levelsInUse |= 1 << level;
        } else {
            tail[level].nextInQueue = thread;
        }
        tail[level] = thread;
    }

    /** The longest waiting thread of the highest priority, or null. */
    LwktThread poll() {
        if (levelsInUse == 0) {
            return null;
        }
        return pollLevel(31 - Integer.numberOfLeadingZeros(levelsInUse));
    }

    private LwktThread pollLevel(int level) {
        LwktThread thread = head[level];
        head[level] = thread.nextInQueue;
        thread.nextInQueue = null;
        if (head[level] == null) {
            tail[level] = null;
            levelsInUse &= ~(1 << level);
        }
        return thread;
    }

    /** Takes a thread out of the middle. */
    void remove(LwktThread thread) {
        for (int count = size(thread.priority()); count > 0; count--) {
            LwktThread first = pollLevel(thread.priority());
            if (first != thread) {
                add(first);
            }
        }
    }

    private int size(int level) {
        int count = 0;
        for (LwktThread thread = head[level]; thread != null; thread = thread.nextInQueue) {
            count++;
        }
        return count;
    }
}
