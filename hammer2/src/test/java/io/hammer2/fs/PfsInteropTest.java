package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.testing.InteropImages.Expectation;
import io.hammer2.fs.testing.InteropImages.Image;
import io.hammer2.fs.testing.ManifestWalk;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Volumes made by DragonFly's code: their PFSs and snapshots are copied, changed, rolled back and deleted, and nothing else changes. */
final class PfsInteropTest {
    private static final MemorySegment NEW = MemorySegment.ofArray(new byte[] {'n', 'e', 'w'});

    private final List<String> log = new ArrayList<>();
    private long ids = 1;

    static Stream<Image> mountable() {
        return InteropImages.all().stream().filter(image -> image.expectation() == Expectation.MOUNT);
    }

    @ParameterizedTest
    @MethodSource("mountable")
    void pfss_of_others_can_be_copied_changed_and_rolled_back(Image image) throws Exception {
        List<BlockDevice> originals = BlockDevices.openAll(image.special(), OpenMode.INSPECT);
        List<BlockDevice> devices = new ArrayList<>();
        originals.forEach(original -> devices.add(MemoryBlockDevice.over(original)));
        TreeSet<String> before = new TreeSet<>(problems(devices));
        try (Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        devices.stream().<BlockDevice>map(Borrowed::new).toList(),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add))) {
            int count = volume.pfsList().size();
            for (String label : image.labels()) {
                change(lwkt, volume, snapshot(label, label + ".copy"));
                write(lwkt, volume, label);
                change(lwkt, volume, snapshot(label, label + ".changed"));
                requireManifest(lwkt, volume, image, label + ".copy", label);
                change(lwkt, volume, new PfsChange.Rollback(Label.of(label), Label.of(label + ".copy"), false));
                requireManifest(lwkt, volume, image, label, label);
                List<PfsDifference> differences =
                        lwkt.run(0, () -> volume.pfss().compare(Label.of(label), Label.of(label + ".changed")));
                assertEquals(
                        List.of(new PfsDifference(PfsDifference.Kind.ADDED, FileType.REGULAR, "/new", null)),
                        differences);
                change(lwkt, volume, new PfsChange.Delete(Label.of(label + ".copy")));
                change(lwkt, volume, new PfsChange.Delete(Label.of(label + ".changed")));
            }
            change(lwkt, volume, new PfsChange.Create(Label.of("made here"), PfsType.MASTER, ids()));
            assertNotNull(lwkt.run(0, () -> volume.pfss().find(Label.of("made here"))));
            assertEquals(count + 1, volume.pfsList().size());
            assertEquals(0, volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT).corruptBytes());
            for (String label : image.labels()) {
                requireManifest(lwkt, volume, image, label, label);
            }
        }
        List<String> after = problems(devices);
        after.removeAll(before);
        assertEquals(List.of(), after);
        for (BlockDevice copy : devices) {
            copy.close();
        }
        for (BlockDevice original : originals) {
            original.close();
        }
    }

    private PfsChange snapshot(String source, String label) {
        return new PfsChange.Snapshot(Label.of(source), Label.of(label), false, ids());
    }

    private PfsChange.Ids ids() {
        return new PfsChange.Ids(new UUID(77, ids++), new UUID(77, ids++));
    }

    private static void change(Lwkt lwkt, Hammer2 volume, PfsChange change) throws Exception {
        lwkt.run(0, () -> volume.pfss().change(List.of(change)));
    }

    private static void write(Lwkt lwkt, Hammer2 volume, String label) throws Exception {
        FileSystem files = volume.mount(label);
        lwkt.run(0, () -> {
            long inum = files.create(FileSystem.ROOT_INUM, NEW, NewInode.of(FileType.REGULAR, 0644, 0, 0))
                    .inum();
            return files.write(inum, 0, MemorySegment.ofArray(new byte[100_000]).fill((byte) 5), 0);
        });
        files.unmount();
    }

    private static void requireManifest(Lwkt lwkt, Hammer2 volume, Image image, String label, String as)
            throws Exception {
        FileSystem files = volume.mount(label);
        assertEquals(List.of(), lwkt.run(0, () -> ManifestWalk.differences(files, image.manifest(), as)));
        files.unmount();
    }

    private static List<String> problems(List<BlockDevice> devices) {
        List<String> problems = new ArrayList<>();
        Fsck.check(devices, FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.text());
            }
        });
        return problems;
    }
}
