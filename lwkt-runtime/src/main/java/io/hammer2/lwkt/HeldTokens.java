package io.hammer2.lwkt;

import java.util.Arrays;

/** The tokens one thread has, in the order of their taking, and their way back after it was blocked. Touched by that thread only. */
final class HeldTokens {
    /** How one entry of the list counts: a recursive one changes nothing in the token. */
    private enum Hold {
        EXCLUSIVE,
        SHARED,
        RECURSIVE
    }

    private final LwktThread owner;
    private final Token.Wait wait;
    private Token[] tokens = new Token[4];
    private Hold[] holds = new Hold[4];
    private int count;
    private boolean givenUp; // the thread is blocked, or on its way out of a block: it has the list but not the tokens

    HeldTokens(LwktThread owner) {
        this.owner = owner;
        this.wait = new Token.Wait(owner::wake);
    }

    boolean isEmpty() {
        return count == 0;
    }

    boolean holds(Token token) {
        return firstHold(token) != null;
    }

    void acquire(Token token, boolean exclusive) {
        Hold hold = newHold(token, exclusive);
        owner.cpu().interleave();
        if (hold == Hold.RECURSIVE || token.tryTake(exclusive, false)) {
            add(token, hold);
            return;
        }
        giveUp();
        givenUp = true;
        add(token, hold);
        retake();
    }

    boolean tryAcquire(Token token, boolean exclusive) {
        Hold hold = newHold(token, exclusive);
        owner.cpu().interleave();
        if (hold != Hold.RECURSIVE && !token.tryTake(exclusive, false)) {
            return false;
        }
        add(token, hold);
        return true;
    }

    void release(Token token) {
        if (count == 0 || tokens[count - 1] != token) {
            throw new IllegalStateException(
                    holds(token)
                            ? owner + " releases " + token + " out of order: it took " + tokens[count - 1] + " later"
                            : owner + " releases " + token + ", which it does not hold");
        }
        Hold hold = holds[--count];
        tokens[count] = null;
        if (hold != Hold.RECURSIVE && !givenUp) {
            token.letGo(hold == Hold.EXCLUSIVE);
            owner.cpu().interleave();
        }
    }

    /** Lets the tokens go, the list stays. */
    void giveUp() {
        if (count != 0 && !givenUp) { // small, so that it is compiled into every switch
            letGo(count);
            givenUp = true;
        }
    }

    /**
     * Takes all tokens of the list again, in address order. All or none: on a collision those taken so far are let go before the
     * thread waits, so that who waits holds nothing and no cycle can form.
     */
    void retake() {
        if (givenUp && !owner.killed) {
            retakeAll();
        }
    }

    private void retakeAll() {
        Token requested = null; // counted as a waiting exclusive request
        for (int next = nextInAddressOrder(-1); next >= 0; ) {
            Token token = tokens[next];
            boolean exclusive = holds[next] == Hold.EXCLUSIVE;
            if (token.tryTake(exclusive, requested == token)) {
                if (requested == token) {
                    requested = null;
                }
                next = nextInAddressOrder(token.address());
                continue;
            }
            letGoBelow(token.address());
            boolean newRequest = exclusive && requested != token;
            if (newRequest && requested != null) {
                requested.withdrawRequest();
            }
            if (exclusive) {
                requested = token;
            }
            if (token.addWaiter(wait, exclusive, newRequest)) {
                owner.cpu().loop.counters.tokenCollisions++;
                while (wait.listed()) {
                    owner.suspend(token);
                }
            }
            next = nextInAddressOrder(-1);
        }
        givenUp = false;
    }

    /** After a misuse was reported: lets them go and forgets them, so that it is reported once. */
    void abandon() {
        giveUp();
        givenUp = false;
        Arrays.fill(tokens, null);
        count = 0;
    }

    private Hold newHold(Token token, boolean exclusive) {
        Hold held = count == 0 ? null : firstHold(token);
        if (held == null) {
            return exclusive ? Hold.EXCLUSIVE : Hold.SHARED;
        }
        if (exclusive && held == Hold.SHARED) {
            throw new IllegalStateException(owner + " shares " + token + " and cannot take it exclusively too");
        }
        return Hold.RECURSIVE;
    }

    /** How the thread really holds the token: the first entry is never a recursive one. */
    private Hold firstHold(Token token) {
        for (int i = 0; i < count; i++) {
            if (tokens[i] == token) {
                return holds[i];
            }
        }
        return null;
    }

    private void add(Token token, Hold hold) {
        if (count == tokens.length) {
            tokens = Arrays.copyOf(tokens, count * 2);
            holds = Arrays.copyOf(holds, count * 2);
        }
        tokens[count] = token;
        holds[count++] = hold;
    }

    private void letGo(int last) {
        for (int i = last - 1; i >= 0; i--) {
            if (holds[i] != Hold.RECURSIVE) {
                tokens[i].letGo(holds[i] == Hold.EXCLUSIVE);
            }
        }
    }

    private void letGoBelow(long address) {
        for (int i = count - 1; i >= 0; i--) {
            if (holds[i] != Hold.RECURSIVE && tokens[i].address() < address) {
                tokens[i].letGo(holds[i] == Hold.EXCLUSIVE);
            }
        }
    }

    /** Index of the token with the lowest address above the given one, or -1. Threads hold two or three: no need to sort. */
    private int nextInAddressOrder(long above) {
        int best = -1;
        for (int i = 0; i < count; i++) {
            if (holds[i] != Hold.RECURSIVE
                    && tokens[i].address() > above
                    && (best < 0 || tokens[i].address() < tokens[best].address())) {
                best = i;
            }
        }
        return best;
    }

    @Override
    public String toString() {
        return Arrays.toString(Arrays.copyOf(tokens, count));
    }
}
