package io.hammer2.lwkt;

import jdk.internal.vm.Continuation;
import jdk.internal.vm.ContinuationScope;

/**
 * A stack on the JDK's own continuations, the ones below virtual threads: a switch copies a few frames and makes no system call.
 * Loaded only where {@code --add-exports=java.base/jdk.internal.vm=ALL-UNNAMED} was given.
 */
final class ContinuationStack extends Stack {
    private static final ContinuationScope SCOPE = new ContinuationScope("lwkt");

    private final Continuation continuation = new Continuation(SCOPE, this::runOccupants) {
        @Override
        protected void onPinned(Pinned reason) {
            pinnedBy = reason;
        }
    };
    private Continuation.Pinned pinnedBy;

    @Override
    void resume() {
        continuation.run();
    }

    @Override
    String suspend() {
        if (Continuation.yield(SCOPE)) {
            return null;
        }
        return switch (pinnedBy) {
            case NATIVE -> "a native frame (an upcall, or a class initialiser) is on its stack";
            case MONITOR -> "it holds a monitor";
            case CRITICAL_SECTION -> "it is in a critical section of the JVM";
            case EXCEPTION -> "the JVM could not save its frames";
        };
    }

    @Override
    void discard() {
        // Unreachable from now on; the collector takes it.
    }
}
