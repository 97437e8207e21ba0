package io.hammer2.lwkt;

/** A platform thread that only ever runs one cpu; the type is how {@link Cpu#currentOrNull} finds that cpu without a map. */
final class CarrierThread extends Thread {
    final Cpu cpu;

    CarrierThread(Cpu cpu, String name, Runnable body) {
        super(null, body, name, 0, false);
        this.cpu = cpu;
        setDaemon(true);
    }
}
