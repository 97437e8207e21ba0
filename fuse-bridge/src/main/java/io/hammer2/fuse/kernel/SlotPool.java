package io.hammer2.fuse.kernel;

/**
 * The slots of one cpu: a stack, so that the warmest is used next, grown on demand up to a bound. Past the bound requests wait
 * in the kernel.
 */
final class SlotPool {
    private final Slot[] all;
    private final Slot[] free;
    private final int answerBytesMax;
    private final int writeBytesMax;
    private int made;
    private int freeCount;

    SlotPool(int slotsMax, int answerBytesMax, int writeBytesMax) {
        this.all = new Slot[slotsMax];
        this.free = new Slot[slotsMax];
        this.answerBytesMax = answerBytesMax;
        this.writeBytesMax = writeBytesMax;
    }

    /** @return null when every slot is in use */
    Slot take() {
        if (freeCount > 0) {
            return free[--freeCount];
        }
        if (made == all.length) {
            return null;
        }
        Slot slot = new Slot(answerBytesMax, writeBytesMax);
        all[made++] = slot;
        return slot;
    }

    void give(Slot slot) {
        free[freeCount++] = slot;
    }

    boolean exhausted() {
        return freeCount == 0 && made == all.length;
    }

    int inUse() {
        return made - freeCount;
    }

    /** @return the slot that works on this request, null when none does or it must be worked on to its end */
    Slot abandonable(long unique) {
        for (int i = 0; i < made; i++) {
            if (all[i].mayAbandon(unique)) {
                return all[i];
            }
        }
        return null;
    }
}
