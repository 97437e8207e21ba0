package io.hammer2.lwkt;

import java.util.function.Consumer;

/** A port whose messages are events of one cpu. */
final class HandlerHooks implements PortHooks {
    private final Cpu cpu;
    private final Consumer<Message<?>> handler;
    private int queuedHere; // messages of this cpu itself that wait in its event queue; owned by the cpu

    HandlerHooks(Cpu cpu, Consumer<Message<?>> handler) {
        this.cpu = cpu;
        this.handler = handler;
    }

    @Override
    public void put(Message<?> message) {
        cpu.checkOpen();
        if (Cpu.currentOrNull() == cpu) {
            queuedHere++;
            message.queuedAtHome = true;
            cpu.loop.post(message);
        } else {
            cpu.deliver(message);
        }
    }

    /** Whether a call may overtake the event queue: nothing this cpu has sent to this port is waiting there. */
    boolean callsDirectly() {
        return queuedHere == 0 && Cpu.currentOrNull() == cpu;
    }

    /** On the port's cpu. */
    void arrived(Message<?> message) {
        if (message.queuedAtHome) {
            queuedHere--;
        }
        handle(message);
    }

    void handle(Message<?> message) {
        if (message.isAbortRequested()) {
            message.fail(new AbortException("aborted before it was begun"));
            return;
        }
        LwktThread self = cpu.loop.current;
        message.servedBy(self);
        try {
            handler.accept(message);
        } catch (ShutdownError closing) {
            throw closing;
        } catch (Throwable t) {
            if (message.isAnswered()) {
                throw t;
            }
            message.fail(t);
        } finally {
            message.servedBy(null);
            if (message.isAbortRequested()) {
                self.clearAbort();
            }
        }
    }

    @Override
    public void abort(Message<?> message) {
        cpu.deliver((Runnable) message::abortServer);
    }
}
