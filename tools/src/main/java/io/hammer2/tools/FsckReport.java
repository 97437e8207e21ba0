package io.hammer2.tools;

import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.FsckResult;
import io.hammer2.fs.fsck.FsckResult.HeaderCopy;
import io.hammer2.fs.fsck.FsckResult.PfsReport;
import io.hammer2.fs.fsck.FsckResult.VolumeReport;
import io.hammer2.fs.fsck.ProblemCode;
import io.hammer2.fs.media.Key;
import java.io.PrintWriter;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/** What fsck_hammer2 prints. */
sealed interface FsckReport {
    void begin(String special);

    void found(Finding finding);

    void end(FsckResult result);

    /**
     * How much of it.
     *
     * @param references print block references
     * @param problemsOnly nothing but problems
     * @param counts everything that was counted
     * @param pfs what is known of each PFS
     */
    record Verbosity(boolean references, boolean problemsOnly, boolean counts, boolean pfs) {}

    /** Lines for people. A problem is one line: {@code PROBLEM code: text}. */
    final class Text implements FsckReport {
        private final PrintWriter out;
        private final Verbosity verbosity;
        private final Map<ProblemCode, Long> listed = new EnumMap<>(ProblemCode.class);

        Text(Console console, Verbosity verbosity) {
            this.out = console.out();
            this.verbosity = verbosity;
        }

        @Override
        public void begin(String special) {
            // Nothing yet: what it is, is known at the end.
        }

        @Override
        public void found(Finding finding) {
            boolean problem = finding.severity() == Finding.Severity.PROBLEM;
            if (verbosity.problemsOnly() && !problem) {
                return;
            }
            if (problem) {
                listed.merge(finding.code(), 1L, Long::sum);
            }
            out.println(
                    (problem ? "PROBLEM " + finding.code().word() : "NOTE") + ": " + finding.text() + place(finding));
            if (verbosity.references() && finding.ref() != null) {
                out.println("    " + finding.ref());
            }
        }

        @Override
        public void end(FsckResult result) {
            if (!verbosity.problemsOnly()) {
                result.volumes().forEach(this::volume);
                fileSystem(result);
                if (verbosity.pfs()) {
                    result.pfses().forEach(this::pfs);
                }
                counts(result);
            }
            verdict(result);
        }

        private static String place(Finding finding) {
            String pfs = finding.pfs() == null || finding.text().contains(finding.pfs()) ? "" : finding.pfs();
            String path = finding.path() == null || finding.text().contains(finding.path()) ? "" : finding.path();
            if (pfs.isEmpty() && path.isEmpty()) {
                return "";
            }
            return " [" + (pfs.isEmpty() ? path : path.isEmpty() ? "PFS " + pfs : "PFS " + pfs + ": " + path) + "]";
        }

        private void volume(VolumeReport volume) {
            StringBuilder copies = new StringBuilder();
            for (HeaderCopy copy : volume.headers()) {
                copies.append(copies.isEmpty() ? "" : ", ").append(copy.copy()).append(' ');
                copies.append(copy.valid() ? "transaction " + Long.toUnsignedString(copy.mirrorTid()) : copy.defect());
                copies.append(copy.copy() == volume.chosen() ? " (used)" : "");
            }
            out.println("volume " + volume.id() + ": " + volume.name() + ", " + Size.text(volume.sizeBytes())
                    + "; headers: " + copies);
        }

        private void fileSystem(FsckResult result) {
            var fileSystem = result.fileSystem();
            if (fileSystem != null) {
                out.println("file system: version " + fileSystem.version() + ", " + Size.text(fileSystem.totalSize())
                        + ", "
                        + Size.text(fileSystem.allocatorFree()) + " free of " + Size.text(fileSystem.allocatorSize())
                        + ", fsid " + fileSystem.fsid());
                if (fileSystem.extensions() != 0) {
                    out.println("extensions: " + ExtensionText.of(fileSystem.extensions()) + "; "
                            + result.counts().zstdCount() + " data blocks are compressed with zstd ("
                            + ExtensionText.ZSTD + ")");
                }
            }
        }

        private void pfs(PfsReport pfs) {
            out.println("PFS " + pfs.name() + ": " + PfsTypeText.of(pfs.typeCode(), pfs.subtype()) + ", clid "
                    + pfs.clid() + ", fsid " + pfs.fsid());
            out.println("    " + pfs.inodeCount() + " inodes: " + pfs.fileCount() + " files, " + pfs.directoryCount()
                    + " directories, " + pfs.otherCount() + " others; " + Size.text(pfs.fileBytes())
                    + " of content; next inode "
                    + Long.toUnsignedString(pfs.inodeNext()) + "; " + pfs.problemCount() + " problems");
        }

        private void counts(FsckResult result) {
            var counts = result.counts();
            out.println(result.pfses().size() + " PFSs, " + counts.inodeCount() + " inodes, " + counts.direntCount()
                    + " names, " + counts.dataCount() + " data and " + counts.indirectCount() + " indirect blocks; "
                    + Size.text(counts.verifiedBytes()) + " verified");
            if (verbosity.counts()) {
                out.println(counts.emptyCount() + " empty block references, " + counts.sharedCount()
                        + " shared subtrees, " + counts.unverifiableCount() + " blocks without a check code");
            }
            var freemap = result.freemap();
            if (freemap != null && verbosity.counts()) {
                out.println(
                        "freemap: " + freemap.leafCount() + " leaves, " + freemap.nodeCount() + " nodes; of 16 KiB: "
                                + freemap.allocatedCount() + " allocated, " + freemap.stagedCount() + " staged, "
                                + (freemap.unreferencedCount() < 0
                                        ? "unreferenced ones not counted"
                                        : freemap.unreferencedCount() + " allocated and unreferenced"));
            }
        }

        private void verdict(FsckResult result) {
            switch (result.outcome()) {
                case CLEAN -> {
                    if (!verbosity.problemsOnly()) {
                        out.println("CLEAN");
                    }
                }
                case PROBLEMS -> {
                    String kinds = result.problemCounts().entrySet().stream()
                            .map(this::kind)
                            .collect(Collectors.joining(", "));
                    out.println(result.problemCount() + (result.problemCount() == 1 ? " problem (" : " problems (")
                            + kinds + ")");
                }
                case UNUSABLE -> out.println("UNUSABLE: " + result.unusable());
                case CANCELLED -> out.println("CANCELLED");
            }
        }

        private String kind(Map.Entry<ProblemCode, Long> counted) {
            long lines = listed.getOrDefault(counted.getKey(), 0L);
            return counted.getKey().word() + " " + counted.getValue()
                    + (lines < counted.getValue() ? ", the first " + lines + " listed" : "");
        }
    }

    /** One document. */
    final class Json implements FsckReport {
        private final JsonWriter json;

        Json(Console console) {
            this.json = new JsonWriter(console.out());
        }

        @Override
        public void begin(String special) {
            json.beginObject().member("special", special).name("findings").beginArray();
        }

        @Override
        public void found(Finding finding) {
            json.beginObject()
                    .member("severity", finding.severity() == Finding.Severity.PROBLEM ? "problem" : "note")
                    .member(
                            "code",
                            finding.code() == null ? null : finding.code().word())
                    .member("text", finding.text())
                    .member("pfs", finding.pfs())
                    .member("path", finding.path())
                    .member(
                            "blockref",
                            finding.ref() == null ? null : finding.ref().toString())
                    .endObject();
        }

        @Override
        public void end(FsckResult result) {
            json.endArray();
            json.name("volumes").beginArray();
            result.volumes().forEach(this::volume);
            json.endArray();
            fileSystem(result);
            json.name("pfs").beginArray();
            result.pfses().forEach(this::pfs);
            json.endArray();
            counts(result);
            json.name("problems").beginObject();
            result.problemCounts().forEach((code, count) -> json.member(code.word(), count));
            json.endObject();
            json.member("problemCount", result.problemCount());
            json.member("unusable", result.unusable());
            json.member("outcome", result.outcome().name().toLowerCase(java.util.Locale.ROOT));
            json.endObject();
        }

        private void volume(VolumeReport volume) {
            json.beginObject()
                    .member("id", volume.id())
                    .member("name", volume.name())
                    .member("size", volume.sizeBytes())
                    .member("headerUsed", volume.chosen())
                    .name("headers")
                    .beginArray();
            for (HeaderCopy copy : volume.headers()) {
                json.beginObject().member("copy", copy.copy()).member("valid", copy.valid());
                if (copy.valid()) {
                    json.name("mirrorTid").unsigned(copy.mirrorTid());
                } else {
                    json.member("defect", copy.defect());
                }
                json.endObject();
            }
            json.endArray().endObject();
        }

        private void fileSystem(FsckResult result) {
            var fileSystem = result.fileSystem();
            if (fileSystem == null) {
                return;
            }
            json.name("fileSystem")
                    .beginObject()
                    .member("version", fileSystem.version())
                    .member("fsid", fileSystem.fsid().toString())
                    .member("totalSize", fileSystem.totalSize())
                    .member("allocatorSize", fileSystem.allocatorSize())
                    .member("allocatorFree", fileSystem.allocatorFree())
                    .member("allocatorBeg", fileSystem.allocatorBeg());
            json.name("mirrorTid").unsigned(fileSystem.mirrorTid());
            json.name("freemapTid").unsigned(fileSystem.freemapTid());
            ExtensionText.write(json, fileSystem.extensions());
            json.endObject();
        }

        private void pfs(PfsReport pfs) {
            json.beginObject()
                    .member("label", pfs.name())
                    .member("type", PfsTypeText.of(pfs.typeCode(), pfs.subtype()))
                    .member("clid", pfs.clid().toString())
                    .member("fsid", pfs.fsid().toString())
                    .member("snapshotTid", Key.text(pfs.snapshotTid()))
                    .member("inodes", pfs.inodeCount())
                    .member("files", pfs.fileCount())
                    .member("directories", pfs.directoryCount())
                    .member("others", pfs.otherCount())
                    .member("fileBytes", pfs.fileBytes())
                    .member("problems", pfs.problemCount());
            json.name("inodeNext").unsigned(pfs.inodeNext());
            json.endObject();
        }

        private void counts(FsckResult result) {
            var counts = result.counts();
            json.name("counts")
                    .beginObject()
                    .member("inodes", counts.inodeCount())
                    .member("names", counts.direntCount())
                    .member("data", counts.dataCount())
                    .member("zstd", counts.zstdCount())
                    .member("indirect", counts.indirectCount())
                    .member("empty", counts.emptyCount())
                    .member("shared", counts.sharedCount())
                    .member("unverifiable", counts.unverifiableCount())
                    .member("verifiedBytes", counts.verifiedBytes())
                    .endObject();
            var freemap = result.freemap();
            if (freemap != null) {
                json.name("freemap")
                        .beginObject()
                        .member("leaves", freemap.leafCount())
                        .member("nodes", freemap.nodeCount())
                        .member("allocated", freemap.allocatedCount())
                        .member("staged", freemap.stagedCount())
                        .member("unreferenced", freemap.unreferencedCount())
                        .endObject();
            }
        }
    }
}
