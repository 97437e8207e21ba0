package io.hammer2.lwkt;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletionException;

/**
 * One request with its reply: a value or an error. Whoever serves it replies exactly once, from any thread; one LWKT thread may
 * wait for the reply.
 *
 * @param <R> what a good reply carries; {@code Void} if nothing
 */
public class Message<R> {
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Message.class, "state", Object.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The state of a message that was answered. */
    private static final class Done {}

    private static final Done DONE = new Done();

    // null: nobody waits yet; an LwktThread: that one waits; DONE: value and error are final.
    private volatile Object state;
    private R value;
    private Throwable error;

    public Message() {}

    /**
     * Answers the request.
     *
     * @throws IllegalStateException if it was answered before
     */
    public final void reply(R value) {
        complete(value, null);
    }

    /** Answers the request with an error, which {@link #await} throws. */
    public final void fail(Throwable error) {
        if (error == null) {
            throw new IllegalArgumentException("a failure without an error");
        }
        complete(null, error);
    }

    public final boolean isDone() {
        return state == DONE;
    }

    /**
     * Waits for the reply. Tokens are given up meanwhile.
     *
     * @return what the reply carries
     * @throws RuntimeException the error that the request failed with, or a {@link CompletionException} around a checked one
     */
    public final R await() {
        if (state != DONE) {
            waitUntilDone();
        }
        if (error == null) {
            return value;
        }
        switch (error) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new CompletionException(error.getMessage(), error);
        }
    }

    private void waitUntilDone() {
        LwktThread self = LwktThread.current();
        Object before = STATE.compareAndExchange(this, null, self);
        if (before instanceof LwktThread other) {
            throw new IllegalStateException(self + " cannot wait for a message that " + other + " waits for");
        }
        while (state != DONE) {
            self.block(this);
        }
    }

    private void complete(R value, Throwable error) {
        if (state == DONE) {
            throw new IllegalStateException("answered twice: " + this);
        }
        this.value = value;
        this.error = error;
        Object before = STATE.getAndSet(this, DONE);
        if (before instanceof LwktThread waiter) {
            waiter.wake();
        } else if (before == DONE) {
            throw new IllegalStateException("answered twice at the same time: " + this);
        }
    }
}
