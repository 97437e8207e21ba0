package io.hammer2.lwkt;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletionException;

/**
 * One request with its reply: a value or an error. A subclass carries the request's arguments; it is sent to a {@link Port}, or, where
 * the reply comes from something that is no port (a device's completion), just created and awaited. Whoever serves it replies
 * exactly once, from any thread; one LWKT thread may wait for the reply.
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

    /** The state of a message whose answer has come back. */
    private static final class Done {}

    private static final Done DONE = new Done();

    // null: nobody waits yet; an LwktThread: that one waits; a Port: the answered message goes there; DONE: value and
    // error are final.
    private volatile Object state;
    private R value;
    private Throwable error;
    private boolean answered;

    private PortHooks port; // null: not sent to any
    boolean queuedAtHome; // owned by the port's cpu
    private LwktThread server; // owned by the port's cpu
    private volatile boolean abortRequested;

    public Message() {}

    // ---- the server's side

    /**
     * Answers the request.
     *
     * @throws IllegalStateException if it was answered before
     */
    public final void reply(R value) {
        answer(value, null);
    }

    /** Answers the request with an error, which {@link #await} throws. */
    public final void fail(Throwable error) {
        if (error == null) {
            throw new IllegalArgumentException("a failure without an error");
        }
        answer(null, error);
    }

    private void answer(R value, Throwable error) {
        if (answered) {
            throw new IllegalStateException("answered twice: " + this);
        }
        answered = true;
        this.value = value;
        this.error = error;
        if (port == null) {
            complete();
        } else {
            port.reply(this);
        }
    }

    /** For servers that take long: whether the sender has lost interest. */
    public final boolean isAbortRequested() {
        return abortRequested;
    }

    /** For hooks that carry an answer elsewhere: what the server replied. */
    public final R value() {
        return value;
    }

    /** For hooks that carry an answer elsewhere: what the server failed with, or null. */
    public final Throwable error() {
        return error;
    }

    /** For hooks: the answer has come back to the sender's process; whoever waits goes on. */
    public final void complete() {
        Object before = STATE.getAndSet(this, DONE);
        switch (before) {
            case null -> {}
            case LwktThread waiter -> waiter.wake();
            case Port replyPort -> replyPort.send(new Reply<>(this));
            default -> throw new IllegalStateException("answered twice: " + this);
        }
    }

    // ---- the sender's side

    public final boolean isDone() {
        return state instanceof Done;
    }

    /**
     * Waits for the reply. Tokens are given up meanwhile.
     *
     * @return what the reply carries
     * @throws RuntimeException the error that the request failed with, or a {@link CompletionException} around a checked one
     * @throws AbortException if this thread is aborted meanwhile, or the message was
     */
    public final R await() {
        if (!isDone()) {
            if (port == null) {
                awaitCompletion();
            } else {
                port.await(this);
            }
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

    /** For hooks: blocks the calling thread until {@link #complete}. */
    public final void awaitCompletion() {
        LwktThread self = LwktThread.current();
        Object before = STATE.compareAndExchange(this, null, self);
        if (before != null && !(before instanceof Done)) {
            throw new IllegalStateException(self + " cannot wait for a message that " + before + " waits for");
        }
        try {
            while (!isDone()) {
                self.blockAbortably(this);
            }
        } finally {
            STATE.compareAndSet(this, self, null); // only if it was aborted
        }
    }

    /**
     * Has the answered message sent to a port, as a {@link Reply}, instead of waited for. At most once, by the sender.
     *
     * @throws IllegalStateException if someone waits for it already
     */
    public final void replyTo(Port replyPort) {
        Object before = STATE.compareAndExchange(this, null, replyPort);
        if (before instanceof Done) {
            replyPort.send(new Reply<>(this));
        } else if (before != null) {
            throw new IllegalStateException(replyPort + " cannot get the reply that " + before + " waits for");
        }
    }

    /** What arrives at a reply port: a message with its answer in it. */
    public static final class Reply<R> extends Message<Void> {
        private final Message<R> answered;

        Reply(Message<R> answered) {
            this.answered = answered;
        }

        public Message<R> answered() {
            return answered;
        }
    }

    /**
     * Says that the answer is not wanted any more. A request that was not begun fails with an {@link AbortException}; one that is being
     * served has its server aborted, which gets that exception from its next blocking call. An answer still comes, of either kind.
     */
    public final void abort() {
        if (port == null) {
            throw new IllegalStateException("only a message that was sent to a port can be aborted");
        }
        abortRequested = true;
        port.abort(this);
    }

    // ---- for the ports

    final void setPort(PortHooks hooks) {
        if (port != null) {
            throw new IllegalStateException("sent twice: " + this);
        }
        port = hooks;
    }

    final PortHooks port() {
        return port;
    }

    final boolean isAnswered() {
        return answered;
    }

    /** On the port's cpu: which thread an abort is for. */
    final void servedBy(LwktThread thread) {
        server = thread;
    }

    /** On the port's cpu. */
    final void abortServer() {
        if (server != null && !answered) {
            server.abort();
        }
    }
}
