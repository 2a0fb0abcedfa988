package dev.reweave.checkpoint;

import dev.reweave.storage.MetadataLimit;
import java.io.Serializable;
import java.util.List;

/** Scans as another scanner does, and lets no more of each file be structure than is allowed. */
record LimitedScanner(MetadataScanner scanner, MetadataLimit limit) implements MetadataScanner {
  @Override
  public <T extends Serializable> List<T> scan(List<Request<T>> requests) {
    return scanner.scan(requests.stream().map(request -> limited(request, limit)).toList());
  }

  private static <T extends Serializable> Request<T> limited(
      Request<T> request, MetadataLimit limit) {
    RawProbe<T> probe = request.probe();
    return new Request<>(
        request.file(),
        request.index(),
        (RawProbe<T>) (access, index) -> probe.read(access.limitedTo(limit), index));
  }
}
