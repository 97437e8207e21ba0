package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.MemoryOperations;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.Overridden;
import io.hammer2.fuse.Shell;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.Message;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Requests that wait inside the file system: for others they must not be there at all. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BlockedRequestTest {
    /** A lookup of a name that begins so waits until the test lets it go on. */
    private static final String WAITS = "waits";

    @TempDir
    static Path work;

    private record Waiting(Message<Void> go, CompletableFuture<Boolean> interrupted) {}

    private final BlockingQueue<Waiting> waiting = new LinkedBlockingQueue<>();
    private final List<Process> processes = new ArrayList<>();
    private Path at;
    private FuseMount mount;
    private Lwkt lwkt;

    private void mount(int cpus) throws IOException {
        MemoryOperations files = new MemoryOperations(true);
        files.file(1, "hello", "hello world\n".getBytes(StandardCharsets.UTF_8));
        for (int i = 0; i < 100; i++) {
            files.file(1, WAITS + i, new byte[i]);
        }
        lwkt = Lwkt.dedicated(cpus);
        mount = new KernelTransport()
                .mount(
                        lwkt,
                        at,
                        new Overridden(files) {
                            @Override
                            public boolean lookup(FuseCall call, long parent, MemorySegment name, NodeAttributes into) {
                                if (new String(name.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8)
                                        .startsWith(WAITS)) {
                                    Waiting here = new Waiting(new Message<>(), new CompletableFuture<>());
                                    waiting.add(here);
                                    here.go.await();
                                    here.interrupted.complete(call.interrupted());
                                }
                                return super.lookup(call, parent, name, into);
                            }
                        },
                        FuseMountOptions.builder("blocked").build());
    }

    /** A mount that can be written, whose syncs wait. */
    private void mountWritable() throws IOException {
        lwkt = Lwkt.dedicated(2);
        mount = new KernelTransport()
                .mount(
                        lwkt,
                        at,
                        new Overridden(new MemoryOperations(false)) {
                            @Override
                            public void fsync(FuseCall call, long node, boolean dataOnly) {
                                Waiting here = new Waiting(new Message<>(), new CompletableFuture<>());
                                waiting.add(here);
                                here.go.await();
                                here.interrupted.complete(call.interrupted());
                            }
                        },
                        FuseMountOptions.builder("blocked").readOnly(false).build());
    }

    @BeforeEach
    void prepare() throws IOException {
        at = Files.createTempDirectory(work, "mnt");
    }

    @AfterEach
    void cleanUp() {
        waiting.forEach(here -> here.go.reply(null));
        processes.forEach(Process::destroyForcibly);
        mount.close();
        Shell.unmountByForce(at);
        lwkt.close();
    }

    private Process start(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        processes.add(process);
        return process;
    }

    private Process stat(int file) throws IOException {
        return start("stat", "-c", "%s", at.resolve(WAITS + file).toString());
    }

    private Waiting nextWaiting() throws InterruptedException {
        Waiting here = waiting.poll(20, TimeUnit.SECONDS);
        assertNotNull(here, "the request does not arrive");
        return here;
    }

    private static String output(Process process) throws Exception {
        assertTrue(process.waitFor(20, TimeUnit.SECONDS), "does not end");
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    }

    @Test
    void its_cpu_serves_others_meanwhile_and_it_gets_its_own_answer_later() throws Exception {
        mount(1);
        Process first = stat(11);
        Waiting firstRequest = nextWaiting();
        Process second = stat(22);
        Waiting secondRequest = nextWaiting();
        assertEquals("hello world\n", Files.readString(at.resolve("hello")));
        secondRequest.go.reply(null);
        assertEquals("22", output(second));
        firstRequest.go.reply(null);
        assertEquals("11", output(first));
        assertFalse(firstRequest.interrupted.get(20, TimeUnit.SECONDS));
    }

    @Test
    void a_killed_caller_ends_at_once() throws Exception {
        for (int cpus = 1; cpus <= 2; cpus++) {
            mount(cpus);
            for (int i = 0; i < 10; i++) {
                Process caller = stat(i);
                Waiting request = nextWaiting();
                caller.destroyForcibly();
                assertTrue(caller.waitFor(20, TimeUnit.SECONDS), "the killed caller waits for its request");
                request.go.reply(null);
                assertTrue(request.interrupted.get(20, TimeUnit.SECONDS));
            }
            assertEquals("hello world\n", Files.readString(at.resolve("hello")));
            mount.close();
            lwkt.close();
        }
        mount(1);
    }

    @Test
    void a_signal_that_is_handled_ends_the_call_with_EINTR() throws Exception {
        mount(2);
        Process caller = start("python3", "-c", """
                import os, signal, sys
                class Rung(Exception): pass
                def ring(*a): raise Rung()
                signal.signal(signal.SIGUSR1, ring)
                try: os.stat(sys.argv[1])
                except Rung: print("interrupted")
                """, at.resolve(WAITS + 5).toString());
        Waiting request = nextWaiting();
        Shell.run("kill", "-USR1", Long.toString(caller.pid())).succeeded();
        assertEquals("interrupted", output(caller));
        request.go.reply(null);
        assertTrue(request.interrupted.get(20, TimeUnit.SECONDS));
    }

    @Test
    void a_sync_is_worked_on_to_its_end_whatever_signals_come() throws Exception {
        mountWritable();
        Process caller = start("python3", "-c", """
                import ctypes, os, signal, sys
                signal.signal(signal.SIGUSR1, lambda *a: print("rung", flush=True))
                signal.siginterrupt(signal.SIGUSR1, True)
                libc = ctypes.CDLL(None)
                fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
                os.write(fd, b"x")
                print("result", libc.fsync(fd))
                """, at.resolve("file").toString());
        Waiting request = nextWaiting();
        Shell.run("kill", "-USR1", Long.toString(caller.pid())).succeeded();
        // Another request of the same connection is answered behind the INTERRUPT, so that has been seen.
        assertTrue(Files.exists(at.resolve("file")));
        assertTrue(caller.isAlive());
        request.go.reply(null);
        assertFalse(request.interrupted.get(20, TimeUnit.SECONDS));
        assertTrue(output(caller).contains("result 0"));
    }

    @Test
    void more_of_them_than_there_are_buffers_are_all_answered_in_the_end() throws Exception {
        mount(1);
        int many = Channel.SLOTS_MAX + 16;
        Process callers = start("python3", "-c", """
                import os, sys, threading
                sizes = set()
                def ask(i): sizes.add(os.stat("%s/%s%d" % (sys.argv[1], sys.argv[2], i)).st_size)
                threads = [threading.Thread(target=ask, args=(i,)) for i in range(int(sys.argv[3]))]
                for t in threads: t.start()
                for t in threads: t.join()
                assert sizes == set(range(int(sys.argv[3]))), sizes
                print("good")
                """, at.toString(), WAITS, Integer.toString(many));
        List<Waiting> requests = new ArrayList<>();
        for (int i = 0; i < Channel.SLOTS_MAX; i++) {
            requests.add(nextWaiting());
        }
        assertTrue(waiting.isEmpty(), "every buffer is taken");
        requests.forEach(request -> request.go.reply(null));
        for (int i = Channel.SLOTS_MAX; i < many; i++) {
            nextWaiting().go.reply(null);
        }
        assertEquals("good", output(callers));
        assertEquals("hello world\n", Files.readString(at.resolve("hello")));
    }

    @Test
    void the_mount_can_be_closed_and_what_comes_of_the_request_later_does_no_harm() throws Exception {
        mount(2);
        Process caller = stat(7);
        Waiting request = nextWaiting();
        Thread closing = Thread.ofPlatform().start(mount::close);
        String told = output(caller);
        assertTrue(told.contains("abort") || told.contains("not connected"), told);
        request.go.reply(null);
        closing.join();
        assertTrue(mount.isUnmounted());
        assertFalse(Shell.isMounted(at));
    }
}
