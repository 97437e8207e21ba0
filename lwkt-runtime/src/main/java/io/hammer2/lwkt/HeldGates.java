package io.hammer2.lwkt;

import java.util.Arrays;

/** The gates one thread holds, and the rule about their order. Touched by that thread only. */
final class HeldGates {
    private final LwktThread owner;
    private Gate[] gates = new Gate[4];
    private boolean[] exclusive = new boolean[4];
    private int[] level = new int[4]; // how many parents were named on the way down to it
    private int count;

    HeldGates(LwktThread owner) {
        this.owner = owner;
    }

    boolean isEmpty() {
        return count == 0;
    }

    boolean holds(Gate gate) {
        return indexOf(gate) >= 0;
    }

    boolean holdsExclusive(Gate gate) {
        int index = indexOf(gate);
        return index >= 0 && exclusive[index];
    }

    void checkNotHeld(Gate gate, boolean wantsExclusive) {
        int index = indexOf(gate);
        if (index >= 0) {
            throw new IllegalStateException(
                    wantsExclusive && !exclusive[index]
                            ? owner + " would upgrade " + gate + ", which would wait for itself"
                            : owner + " holds " + gate + " already");
        }
    }

    /** Checks the rules. @return the level to add the gate with */
    int checkMayTake(Gate gate, Gate parent, boolean wantsExclusive) {
        if (count == 0) {
            if (parent != null) {
                throw new IllegalStateException(
                        owner + " takes " + gate + " below " + parent + " without holding that");
            }
            return 0;
        }
        checkNotHeld(gate, wantsExclusive);
        int newLevel = 0;
        if (parent != null) {
            int index = indexOf(parent);
            if (index < 0) {
                throw new IllegalStateException(
                        owner + " takes " + gate + " below " + parent + " without holding that");
            }
            newLevel = level[index] + 1;
        }
        if (owner.cpu().lwkt().checksGateOrder()) {
            checkOrder(gate, newLevel);
        }
        return newLevel;
    }

    private void checkOrder(Gate gate, int newLevel) {
        for (int i = 0; i < count; i++) {
            if (newLevel < level[i] || (newLevel == level[i] && gate.order() <= gates[i].order())) {
                throw new IllegalStateException("gate order: " + owner + " takes " + gate + " (level " + newLevel
                        + ") after " + gates[i] + " (level " + level[i] + "); parents first, then by number");
            }
        }
    }

    void add(Gate gate, boolean isExclusive, int itsLevel) {
        if (count == gates.length) {
            gates = Arrays.copyOf(gates, count * 2);
            exclusive = Arrays.copyOf(exclusive, count * 2);
            level = Arrays.copyOf(level, count * 2);
        }
        gates[count] = gate;
        exclusive[count] = isExclusive;
        level[count++] = itsLevel;
    }

    void remove(Gate gate, boolean wasExclusive) {
        int index = indexOf(gate);
        if (index < 0 || exclusive[index] != wasExclusive) {
            throw new IllegalStateException(owner + " unlocks " + gate + ", which it does not hold "
                    + (wasExclusive ? "exclusively" : "shared"));
        }
        count--;
        System.arraycopy(gates, index + 1, gates, index, count - index);
        System.arraycopy(exclusive, index + 1, exclusive, index, count - index);
        System.arraycopy(level, index + 1, level, index, count - index);
        gates[count] = null;
    }

    /** After a misuse was reported: forgets them, so that it is reported once. They stay locked. */
    void abandon() {
        Arrays.fill(gates, null);
        count = 0;
    }

    private int indexOf(Gate gate) {
        for (int i = count - 1; i >= 0; i--) {
            if (gates[i] == gate) {
                return i;
            }
        }
        return -1;
    }

    @Override
    public String toString() {
        return Arrays.toString(Arrays.copyOf(gates, count));
    }
}
