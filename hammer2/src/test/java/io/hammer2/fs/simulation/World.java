package io.hammer2.fs.simulation;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.ReorderingBlockDevice;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.EventSource;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.Message;
import io.hammer2.lwkt.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** A stepped runtime in which a volume can be mounted over and over, its device answering in any order. */
final class World implements AutoCloseable {
    /** Simulated; nothing that works takes so long. */
    private static final long STUCK_NANOS = 600_000_000_000L;

    private final Lwkt lwkt;
    private final Layout layout;
    private long deviceSeed;
    private Hammer2 volume;
    private EventSource completions;
    private FileSystem mounted;
    private Posix fs;
    private int moment;

    /** For file systems of one volume. */
    World(int cpus, long seed) {
        this(cpus, seed, Layout.single(0));
    }

    /** For file systems whose volumes lie on a disk as {@code layout} says. */
    World(int cpus, long seed, Layout layout) {
        this.layout = layout;
        this.lwkt = Lwkt.stepped(cpus, seed);
        this.deviceSeed = seed;
    }

    /** What has happened so far, in one number: the same for the same seed. */
    long trace() {
        return lwkt.traceHash();
    }

    /** What is mounted. */
    Posix fs() {
        return fs;
    }

    Hammer2 volume() {
        return volume;
    }

    /**
     * Mounts what is on a device, which answers in any order and stays open in the end.
     *
     * @param above what lies between it and the file system
     */
    void mountReordered(BlockDevice lender, UnaryOperator<BlockDevice> above, MountOptions options)
            throws Hammer2Exception {
        ReorderingBlockDevice device = new ReorderingBlockDevice(new Borrowed(lender), ++deviceSeed);
        EventSource source = device::completeOne;
        completions = source;
        inside(() -> {
            Cpu.current().attach(source);
            return null;
        });
        mount(above.apply(device), options);
    }

    /** Mounts what is on a device; that is closed in the end. */
    void mount(BlockDevice device, MountOptions options) throws Hammer2Exception {
        volume = Hammer2.open(lwkt, layout.on(device), options);
        mounted = volume.mount(null);
        fs = new MountedFileSystem(mounted);
    }

    /** Unmounts what is mounted, and mounts another PFS of the volume. */
    void use(String label) throws Hammer2Exception {
        mounted.unmount();
        mounted = volume.mount(label);
        fs = new MountedFileSystem(mounted);
    }

    /** Has everything committed, if that is possible. */
    void unmount() throws Hammer2Exception {
        Hammer2 opened = volume;
        volume = null;
        fs = null;
        try {
            opened.close();
        } finally {
            if (completions != null) {
                EventSource source = completions;
                completions = null;
                inside(() -> {
                    Cpu.current().detach(source);
                    return null;
                });
            }
        }
    }

    /** Runs something as an LWKT thread. */
    <T> T inside(Callable<T> body) {
        try {
            return lwkt.run(0, body);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Has clients do their operations at once, each on some cpu.
     *
     * @param ended hears of each operation, in the order in which they end
     */
    List<List<Call>> round(List<List<Operation>> clients, Consumer<Call> ended) {
        List<List<Call>> calls = clients.stream()
                .map(operations -> operations.stream().map(Call::new).toList())
                .toList();
        inside(() -> {
            Timer watchdog = Cpu.current().after(STUCK_NANOS, () -> {
                throw new AssertionError("stuck\n" + lwkt.waitGraph());
            });
            List<Message<Void>> ends = new ArrayList<>();
            for (int client = 0; client < calls.size(); client++) {
                List<Call> own = calls.get(client);
                Message<Void> end = new Message<>();
                ends.add(end);
                lwkt.cpu(client % lwkt.cpuCount()).spawn("client " + client, () -> {
                    own.forEach(call -> perform(call, ended));
                    end.reply(null);
                });
            }
            ends.forEach(Message::await);
            watchdog.cancel();
            return null;
        });
        return calls;
    }

    private void perform(Call call, Consumer<Call> ended) {
        call.began(++moment);
        Outcome outcome = Outcome.of(call.operation(), fs);
        call.ended(++moment, outcome);
        ended.accept(call);
    }

    @Override
    public void close() throws Hammer2Exception {
        try {
            if (volume != null) {
                unmount();
            }
        } finally {
            lwkt.close();
        }
    }
}
