package io.hammer2.fs.fsck;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.hammer2.fs.testing.ImageMutator;
import io.hammer2.fs.testing.InteropImages;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Hostile variants of real images end in a result, in bounded time and memory. The seeds are fixed; {@code -Dfuzz.seed=N}
 * begins elsewhere and {@code -Dfuzz.count=N} goes on for longer.
 */
final class FsckFuzzTest {
    /** Small images whose structures differ; those that the project ships are among them. */
    private static final List<String> IMAGES = List.of(
            "v09-version1",
            "v10-labels",
            "v16-metadata",
            "m01-two-volumes",
            "v04-zlib",
            "v06-sha192",
            "v11-snapshots",
            "v13-grown",
            "v15-aged",
            "v17-mixed",
            "v18-boot",
            "v19-hugefile",
            "v20-crash",
            "v21-freemap-lag");

    private static final int COUNT = 2400;
    private static final long SECONDS_MAX = 20;
    /** What one verification may allocate in all, most of it garbage at once; live memory is bounded by the test JVM's heap. */
    private static final long ALLOCATED_BYTES_MAX = 1L << 30;

    @Test
    void every_mutation_of_a_real_image_ends_in_a_result_within_bounds() throws IOException {
        long firstSeed = Long.getLong("fuzz.seed", 1);
        int count = Integer.getInteger("fuzz.count", COUNT);
        List<InteropImages.Image> images = IMAGES.stream()
                .flatMap(name -> InteropImages.find(name).stream())
                .toList();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int mutations = 0;
        int noticed = 0;
        int unusable = 0;
        long slowestMillis = 0;
        long mostBytes = 0;
        for (int i = 0; i < images.size(); i++) {
            int here = count / images.size() + (i < count % images.size() ? 1 : 0);
            try (ImageMutator mutator = ImageMutator.open(images.get(i))) {
                for (long seed = firstSeed; seed < firstSeed + here; seed++) {
                    ImageMutator.Mutation mutation = mutator.mutate(seed);
                    long bytes = threads.getCurrentThreadAllocatedBytes();
                    long start = System.nanoTime();
                    FsckResult result = verify(mutation);
                    long millis = (System.nanoTime() - start) / 1_000_000;
                    bytes = threads.getCurrentThreadAllocatedBytes() - bytes;
                    assertTrue(millis < SECONDS_MAX * 1000, () -> mutation + ": took " + millis + " ms");
                    assertTrue(bytes < ALLOCATED_BYTES_MAX, mutation + ": allocated " + bytes + " bytes");
                    mutations++;
                    noticed += result.outcome() == FsckResult.Outcome.CLEAN ? 0 : 1;
                    unusable += result.outcome() == FsckResult.Outcome.UNUSABLE ? 1 : 0;
                    slowestMillis = Math.max(slowestMillis, millis);
                    mostBytes = Math.max(mostBytes, bytes);
                }
            }
        }
        System.out.printf(
                "fsck fuzz: %d mutations from seed %d, %d noticed, %d unusable; slowest %d ms, most allocated %d KiB%n",
                mutations, firstSeed, noticed, unusable, slowestMillis, mostBytes >> 10);
        assertTrue(mutations >= 2000, "only " + mutations + " mutations");
        // A mutator that changes nothing, or a verifier that sees nothing, must not pass for robustness.
        assertTrue(noticed > mutations / 2, "only " + noticed + " of " + mutations + " mutations were noticed");
    }

    private static FsckResult verify(ImageMutator.Mutation mutation) {
        FsckOptions options = FsckOptions.DEFAULT.withDeep((mutation.seed() & 2) != 0);
        FsckResult result;
        try {
            result = Fsck.check(mutation.volumes(), options, finding -> assertNotNull(finding.text()));
        } catch (RuntimeException | Error e) {
            throw new AssertionError("an exception escaped: " + mutation, e);
        }
        assertFalse(
                result.problemCounts().containsKey(ProblemCode.INTERNAL),
                () -> "the verifier failed: " + mutation + ": " + result);
        if (result.outcome() == FsckResult.Outcome.UNUSABLE) {
            assertNotNull(result.unusable(), mutation.toString());
            assertFalse(result.unusable().contains("not enough memory"), mutation.toString());
        }
        return result;
    }
}
