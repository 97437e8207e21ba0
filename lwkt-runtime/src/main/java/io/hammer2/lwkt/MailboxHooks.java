package io.hammer2.lwkt;

import java.util.ArrayDeque;

/** A port that keeps its messages until a thread takes them. Everything here is owned by the port's cpu. */
final class MailboxHooks implements PortHooks {
    private final Cpu cpu;
    private final String name;
    private final ArrayDeque<Message<?>> messages = new ArrayDeque<>();
    private final ArrayDeque<LwktThread> receivers = new ArrayDeque<>();

    MailboxHooks(Cpu cpu, String name) {
        this.cpu = cpu;
        this.name = name;
    }

    @Override
    public void put(Message<?> message) {
        cpu.checkOpen();
        if (Cpu.currentOrNull() == cpu) {
            arrived(message);
        } else {
            cpu.deliver((Runnable) () -> arrived(message));
        }
    }

    private void arrived(Message<?> message) {
        messages.addLast(message);
        LwktThread receiver = receivers.pollFirst();
        if (receiver != null) {
            receiver.wake();
        }
    }

    Message<?> receive() {
        cpu.assertCurrent();
        LwktThread self = LwktThread.current();
        Message<?> message = poll();
        while (message == null) {
            receivers.addLast(self);
            try {
                self.blockAbortably(this);
            } finally {
                receivers.remove(self);
            }
            message = poll();
        }
        return message;
    }

    Message<?> poll() {
        cpu.assertCurrent();
        Message<?> message = messages.pollFirst();
        while (message != null && message.isAbortRequested()) {
            message.fail(new AbortException("aborted before it was received"));
            message = messages.pollFirst();
        }
        if (message != null) {
            message.servedBy(LwktThread.current());
        }
        return message;
    }

    @Override
    public void abort(Message<?> message) {
        cpu.deliver((Runnable) message::abortServer);
    }

    @Override
    public String toString() {
        return "a message at mailbox " + name;
    }
}
