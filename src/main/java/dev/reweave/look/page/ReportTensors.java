package dev.reweave.look.page;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.gather.TensorDigest;
import dev.reweave.look.page.ReportContent.Change;
import dev.reweave.look.page.ReportContent.File;
import dev.reweave.look.page.ReportContent.Form;
import dev.reweave.look.page.ReportContent.Tensor;
import dev.reweave.look.report.DiffReport;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorStatistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The tensors of a checkpoint as a report tells of them, in the order of the files' bytes. */
final class ReportTensors {
  private final String folder;
  private final List<InputFile> files;
  private final Map<String, TensorDigest> digests;
  private final Map<String, Change> changes = new HashMap<>();

  /**
   * Of a checkpoint.
   *
   * @param address of it, from which the paths of its files begin
   * @param digests by name, what was measured
   */
  ReportTensors(
      String address,
      Checkpoint checkpoint,
      Map<String, TensorDigest> digests,
      Optional<DiffReport> diff) {
    this.folder = address.endsWith("/") ? address : address + "/";
    this.files = checkpoint.files();
    this.digests = digests;
    diff.ifPresent(found -> found.rows().forEach(this::compared));
  }

  private void compared(DiffReport.Row row) {
    boolean compared =
        switch (row.likeness()) {
          case OTHER_SHAPE, NOT_COMPARABLE -> false;
          default -> true;
        };
    if (compared) {
      Change change = new Change(row.deviation().change(), row.deviation().differing());
      row.names().forEach(name -> changes.putIfAbsent(name, change));
    }
  }

  /** Where a tensor begins. */
  private record Place(int file, long position) {}

  private static Place place(NamedTensor tensor) {
    Place[] first = {new Place(Integer.MAX_VALUE, 0)};
    if (tensor.layout().elements() > 0) {
      tensor
          .layout()
          .runs(
              0,
              1,
              (storage, offset, elements) -> {
                if (first[0].file() == Integer.MAX_VALUE) {
                  first[0] =
                      new Place(
                          storage.file(), storage.position() + offset * storage.dtype().bytes());
                }
              });
    }
    return first[0];
  }

  List<Tensor> of(List<NamedTensor> tensors) {
    Map<String, Place> places = new HashMap<>();
    tensors.forEach(tensor -> places.put(tensor.name(), place(tensor)));
    List<NamedTensor> sorted = new ArrayList<>(tensors);
    sorted.sort(
        Comparator.comparingInt((NamedTensor t) -> places.get(t.name()).file())
            .thenComparingLong(t -> places.get(t.name()).position()));
    return sorted.stream().map(t -> of(t, places.get(t.name()))).toList();
  }

  private Tensor of(NamedTensor tensor, Place place) {
    TensorDigest digest = digests.getOrDefault(tensor.name(), TensorDigest.NONE);
    long elements = tensor.spec().elements();
    TensorStatistics found = digest.statistics();
    return new Tensor(
        new Form(
            tensor.name(),
            tensor.spec().dtype().torchName(),
            Arrays.stream(tensor.spec().shape().dims()).boxed().toList(),
            place.file() < files.size() ? path(files.get(place.file())) : "",
            tensor.spec().bytes(),
            elements),
        found.nans(),
        found.infinities(),
        Optional.of(found).filter(s -> s.elements() == elements),
        digest.histogram(),
        Optional.ofNullable(changes.get(tensor.name())));
  }

  List<File> files() {
    return files.stream().map(file -> new File(path(file), file.length())).toList();
  }

  private String path(InputFile file) {
    String uri = file.uri();
    return uri.startsWith(folder) ? uri.substring(folder.length()) : file.name();
  }
}
