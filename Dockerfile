# An image for Kubernetes, of the release that `mvn -P release package` makes:
#   docker build -t registry.example.com/reweave:0.1.0 .
# It is the image of submit/kubernetes.sh (REWEAVE_IMAGE) and of submit/kubernetes.yaml: Spark starts
# driver and executors of it. Run by itself it is Reweave with embedded Spark:
#   docker run --rm registry.example.com/reweave:0.1.0 demo
ARG SPARK_VERSION=4.1.3
FROM apache/spark:${SPARK_VERSION}-scala2.13-java17-ubuntu AS spark

FROM eclipse-temurin:17-jre-noble AS release
COPY target/reweave-*-bin.tar.gz /tmp/reweave.tar.gz
RUN mkdir /opt/reweave \
    && tar -xzf /tmp/reweave.tar.gz -C /opt/reweave --strip-components=1
# What asks Kubernetes for pods, and is no part of an embedded run.
COPY --from=spark \
    /opt/spark/jars/spark-kubernetes_*.jar \
    /opt/spark/jars/kubernetes-*.jar \
    /opt/spark/jars/vertx-*.jar \
    /opt/spark/jars/zjsonpatch-*.jar \
    /opt/spark/jars/snakeyaml-*.jar \
    /opt/spark/jars/jackson-dataformat-yaml-*.jar \
    /opt/reweave/jars/

FROM eclipse-temurin:17-jre-noble
# 185 is the user of Spark's own images. Its group is root's, as for any user that a cluster chooses.
RUN useradd --system --uid 185 --gid root --home-dir /work --create-home reweave \
    && chmod g+rwx /work \
    && ln -s /opt/reweave/submit/decommission.sh /opt/decom.sh
COPY --from=release /opt/reweave /opt/reweave
ENV PATH=/opt/reweave/bin:$PATH
WORKDIR /work
USER 185
ENTRYPOINT ["/opt/reweave/submit/entrypoint.sh"]
CMD ["--help"]
