package io.hammer2.lwkt;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/**
 * Every interleaving, up to a bound, of three cpus that want one token: its holders exclude each other, and who waits is woken (a lost
 * wake-up would be a thread that waits for ever, which the checker reports). The protocol is the one of {@link HeldTokens#retake}.
 */
public class TokenModelTest {
    private final Token token = new Token("model");
    private int guarded;

    @Operation
    public int increment() {
        take(true);
        int value = guarded;
        guarded = value + 1;
        token.letGo(true);
        return value;
    }

    @Operation
    public int read() {
        take(false);
        int value = guarded;
        int again = guarded;
        token.letGo(false);
        return value == again ? value : -1;
    }

    /** Never fails for another reason than a holder, and may fail for one that is about to let go: answers nothing. */
    @Operation
    public void tryToTake() {
        if (token.tryTake(true, false)) {
            int value = guarded;
            guarded = value;
            token.letGo(true);
        }
    }

    private void take(boolean exclusive) {
        Token.Wait wait = new Token.Wait(() -> {});
        boolean requested = false;
        while (!token.tryTake(exclusive, requested)) {
            boolean listed = token.addWaiter(wait, exclusive, exclusive && !requested);
            requested = exclusive;
            while (listed && wait.listed()) {
                Thread.onSpinWait();
            }
        }
    }

    /** The counter as a single thread would have it. */
    public static final class Specification {
        private int guarded;

        public int increment() {
            return guarded++;
        }

        public int read() {
            return guarded;
        }

        public void tryToTake() {}
    }

    @Test
    void a_token_excludes_and_wakes() {
        new ModelCheckingOptions()
                .sequentialSpecification(Specification.class)
                .threads(3)
                .actorsBefore(0)
                .actorsPerThread(2)
                .actorsAfter(1)
                .iterations(25)
                .invocationsPerIteration(1_000)
                .check(TokenModelTest.class);
    }
}
