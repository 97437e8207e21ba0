package io.hammer2.lwkt;

import java.util.concurrent.locks.LockSupport;

/**
 * The supported fallback: every stack is a platform thread, and a baton says which of a cpu's threads may run. Exactly one does
 * at any time, so nothing above can tell the difference, except by the price of a switch (two wake-ups by the operating system).
 */
final class BatonStack extends Stack {
    private final Thread thread;
    private volatile boolean running;
    private volatile Thread resumer;
    private volatile boolean discarded;

    BatonStack(Cpu cpu) {
        thread = new CarrierThread(cpu, cpu + "/stack", () -> {
            cpu.loop.pinToProcessor();
            awaitBaton();
            if (!discarded) {
                runOccupants();
            }
        });
        thread.start();
    }

    @Override
    void resume() {
        resumer = Thread.currentThread();
        running = true;
        LockSupport.unpark(thread);
        while (running) {
            LockSupport.park(this);
        }
    }

    @Override
    String suspend() {
        handBack();
        awaitBaton();
        return null;
    }

    @Override
    void discard() {
        discarded = true;
        running = true;
        LockSupport.unpark(thread);
    }

    private void handBack() {
        Thread to = resumer;
        running = false;
        LockSupport.unpark(to);
    }

    private void awaitBaton() {
        while (!running) {
            LockSupport.park(this);
        }
    }
}
