package dev.reweave.spark;

import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Recall;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Reads the metadata of the rank files in Spark tasks, one per file. */
final class SparkScanner implements MetadataScanner {
  private record Answer<T extends Serializable>(int request, T value) implements Serializable {}

  private final SparkTasks tasks;
  private final Shared<Stores> stores;

  /**
   * A scanner in this application.
   *
   * @param stores that the tasks read from
   */
  SparkScanner(SparkTasks tasks, Shared<Stores> stores) {
    this.tasks = tasks;
    this.stores = stores;
  }

  @Override
  public <T extends Serializable> List<T> scan(List<Request<T>> requests) {
    Shared<Stores> shared = stores;
    Shared<Recall> recall = tasks.share(new Recall());
    List<T> answers = new ArrayList<>(Arrays.asList(emptyAnswers(requests.size())));
    List<Numbered<T>> items = new ArrayList<>();
    for (int i = 0; i < requests.size(); i++) {
      items.add(new Numbered<>(i, requests.get(i)));
    }
    try (recall) {
      tasks.run(
          ThreadScanner.what(requests.size()),
          items,
          SparkTasks.Amounts.files(),
          item ->
              new Answer<>(
                  item.number(),
                  ThreadScanner.answer(shared.value(), item.request(), recall.value())),
          (Answer<T> answer) -> answers.set(answer.request(), answer.value()));
    }
    return answers;
  }

  private record Numbered<T extends Serializable>(int number, Request<T> request)
      implements Serializable {}

  @SuppressWarnings("unchecked")
  private static <T> T[] emptyAnswers(int count) {
    return (T[]) new Serializable[count];
  }
}
