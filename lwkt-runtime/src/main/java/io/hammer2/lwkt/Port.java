package io.hammer2.lwkt;

import java.util.function.Consumer;

/** Where messages arrive. Messages from one cpu arrive in the order in which they were sent. */
public final class Port {
    private final String name;
    private final PortHooks hooks;

    private Port(String name, PortHooks hooks) {
        this.name = name;
        this.hooks = hooks;
    }

    /**
     * A port whose messages are events of a cpu: each is handed to the handler by whichever worker took it. The handler answers, then
     * or later; what it throws fails the message.
     */
    public static Port onCpu(Cpu cpu, String name, Consumer<Message<?>> handler) {
        return new Port(name, new HandlerHooks(cpu, handler));
    }

    /** A port that keeps its messages until a thread of the cpu {@link #receive}s them. */
    public static Port mailbox(Cpu cpu, String name) {
        return new Port(name, new MailboxHooks(cpu, name));
    }

    /** A port that does whatever its hooks do. */
    public static Port of(String name, PortHooks hooks) {
        return new Port(name, hooks);
    }

    /**
     * Sends a message and goes on; {@link Message#await} waits for the reply.
     *
     * @throws IllegalStateException if the message was sent before, or after the runtime was closed
     */
    public void send(Message<?> message) {
        message.setPort(hooks);
        hooks.put(message);
    }

    /** Sends a message and waits for its reply. On the port's own cpu, with no message queued before it, it is a direct call. */
    public <R> R call(Message<R> message) {
        message.setPort(hooks);
        if (hooks instanceof HandlerHooks handler && handler.callsDirectly()) {
            handler.handle(message);
        } else {
            hooks.put(message);
        }
        return message.await();
    }

    /**
     * The oldest message of a mailbox; blocks until there is one.
     *
     * @throws AbortException if this thread is aborted meanwhile
     */
    public Message<?> receive() {
        return mailboxHooks().receive();
    }

    /** The oldest message of a mailbox, or null. */
    public Message<?> poll() {
        return mailboxHooks().poll();
    }

    private MailboxHooks mailboxHooks() {
        if (hooks instanceof MailboxHooks mailbox) {
            return mailbox;
        }
        throw new IllegalStateException(this + " is no mailbox");
    }

    @Override
    public String toString() {
        return "port " + name;
    }
}
