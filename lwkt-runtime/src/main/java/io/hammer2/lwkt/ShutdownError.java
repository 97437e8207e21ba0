package io.hammer2.lwkt;

/** Unwinds the stack of a thread that is still blocked when its runtime closes, so that its {@code finally} blocks run. */
final class ShutdownError extends Error {
    ShutdownError(String thread) {
        super("the runtime was closed while " + thread + " was blocked", null, false, false);
    }
}
