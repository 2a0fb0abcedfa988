package dev.reweave.storage;

import java.io.Serializable;
import java.util.List;

/** Scans as another scanner does, and lets no more of each file be structure than is allowed. */
public record LimitedScanner(MetadataScanner scanner, MetadataLimit limit)
    implements MetadataScanner {
  @Override
  public <T extends Serializable> List<T> scan(List<Request<T>> requests) {
    return scanner.scan(requests.stream().map(request -> limited(request, limit)).toList());
  }

  private static <T extends Serializable> Request<T> limited(
      Request<T> request, MetadataLimit limit) {
    Probe<T> probe = request.probe();
    return new Request<>(
        request.file(),
        request.index(),
        (Probe<T>) (access, index, recall) -> probe.read(access.limitedTo(limit), index, recall));
  }
}
