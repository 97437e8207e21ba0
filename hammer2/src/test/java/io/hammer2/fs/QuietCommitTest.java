package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.media.FileType;
import io.hammer2.fs.testing.SteppedVolume;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Message;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When what changed is committed though nobody asks: simulated time, so the figures are exact. */
final class QuietCommitTest {
    private static final long VOLUME_BYTES = 128L << 20;
    private static final int QUIET_MILLIS = 100;
    private static final int DISTANCE_MILLIS = 10_000;

    private int files;

    @FunctionalInterface
    private interface Body {
        void run(FileSystem files) throws Exception;
    }

    private void mounted(boolean quietly, Body body) throws Exception {
        try (SteppedVolume volume = new SteppedVolume(VOLUME_BYTES)) {
            volume.format();
            volume.mount();
            if (quietly) {
                volume.volume().commitWhenQuiet(QUIET_MILLIS * 1_000_000L, DISTANCE_MILLIS * 1_000_000L);
            }
            volume.on(() -> {
                body.run(volume.files());
                return null;
            });
            assertEquals(List.of(), volume.log);
        }
    }

    private static long commits(FileSystem mounted) {
        return mounted.volume().info().mirrorTid();
    }

    private void change(FileSystem mounted) {
        MemorySegment name = SteppedVolume.name("file" + files++);
        mounted.create(FileSystem.ROOT_INUM, name, NewInode.of(FileType.REGULAR, 0644, 0, 0));
    }

    private static void pass(long millis) {
        Message<Void> over = new Message<>();
        Cpu.current().after(millis * 1_000_000L, () -> over.reply(null));
        over.await();
    }

    @Test
    void what_changed_is_committed_when_it_is_quiet_for_a_moment() throws Exception {
        mounted(true, mounted -> {
            long before = commits(mounted);
            change(mounted);
            pass(QUIET_MILLIS);
            assertEquals(before, commits(mounted));
            pass(2 * QUIET_MILLIS);
            assertEquals(before + 1, commits(mounted));
            pass(10 * DISTANCE_MILLIS);
            assertEquals(before + 1, commits(mounted), "there was nothing to commit");
        });
    }

    @Test
    void without_being_told_so_it_waits_for_the_interval() throws Exception {
        mounted(false, mounted -> {
            long before = commits(mounted);
            change(mounted);
            pass(DISTANCE_MILLIS);
            assertEquals(before, commits(mounted));
        });
    }

    @Test
    void while_changes_go_on_nothing_is_committed_for_quiet() throws Exception {
        mounted(true, mounted -> {
            long before = commits(mounted);
            for (int i = 0; i < 100; i++) {
                change(mounted);
                pass(QUIET_MILLIS / 2);
            }
            assertEquals(before, commits(mounted));
        });
    }

    @Test
    void commits_for_quiet_keep_their_distance() throws Exception {
        mounted(true, mounted -> {
            long before = commits(mounted);
            int seconds = 60;
            for (int second = 0; second < seconds; second++) {
                change(mounted);
                pass(1000);
            }
            long made = commits(mounted) - before;
            int most = seconds * 1000 / DISTANCE_MILLIS;
            assertTrue(made >= most - 1 && made <= most + 1, made + " commits");
        });
    }
}
