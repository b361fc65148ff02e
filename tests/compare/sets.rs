//! Sets as charts render them, each with its Service: several kilobytes of which no two are alike.

/// The manifests of one set. Every second one has something wrong.
pub fn manifests(number: usize) -> String {
    let name = format!("db-{number}");
    let namespace = format!("team-{}", number % 200);
    let is_good = number.is_multiple_of(2);
    let set = set(number, &name, &namespace, is_good);
    format!(
        "---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app.kubernetes.io/instance: {name}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  ports:
    - {{name: client, port: 5432, targetPort: client}}
  selector:
    app.kubernetes.io/instance: {name}
---
{set}"
    )
}

fn set(number: usize, name: &str, namespace: &str, is_good: bool) -> String {
    let (policy, service_name) = if is_good {
        ("Parallel", format!("  serviceName: {name}\n"))
    } else {
        ("parallel", String::new())
    };
    let settings: String = (0..8 + number % 16)
        .flat_map(|setting| {
            [
                format!("            - name: SETTING_{setting}\n"),
                format!("              value: \"{name}: {}\"\n", setting * number),
            ]
        })
        .collect();
    let labels = format!(
        "app.kubernetes.io/name: database, app.kubernetes.io/instance: {name}, app.kubernetes.io/managed-by: Helm"
    );
    format!(
        "# Source: database/templates/statefulset.yaml
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {name}
  namespace: {namespace}
  labels: {{{labels}, helm.sh/chart: database-1.{number}.0}}
spec:
  replicas: {replicas}
  podManagementPolicy: {policy}
{service_name}  selector:
    matchLabels:
      app.kubernetes.io/instance: {name}
  updateStrategy:
    type: RollingUpdate
  template:
    metadata:
      annotations:
        checksum/config: \"{checksum:064x}\"
      labels: {{{labels}}}
    spec:
      serviceAccountName: {name}
      securityContext:
        fsGroup: 1001
        runAsNonRoot: true
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 1
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    app.kubernetes.io/instance: {name}
      initContainers:
        - name: prepare
          image: registry.example/prepare:1.{number}
          command:
            - /bin/sh
            - -ec
            - |
              mkdir -p /data/db
              # what an older release has left behind
              if [ -d /data/old ]; then mv /data/old/* /data/db; fi
          volumeMounts:
            - {{name: data, mountPath: /data}}
      containers:
        - name: server
          image: docker.io/library/postgres:16.{patch}
          imagePullPolicy: IfNotPresent
          ports:
            - name: client
              containerPort: 5432
          env:
{settings}          readinessProbe:
            exec:
              command: [\"/bin/sh\", \"-c\", \"pg_isready -h 127.0.0.1 -p 5432\"]
            periodSeconds: 10
            timeoutSeconds: 5
          resources:
            requests: {{cpu: 250m, memory: 512Mi}}
            limits: {{cpu: \"1\", memory: 1Gi}}
          volumeMounts:
            - name: data
              mountPath: /data
            - name: config
              mountPath: /etc/database
        - name: metrics
          image: registry.example/exporter:0.{patch}
          args: [\"--port=9187\", \"--log=warn\"]
          ports:
            - name: metrics
              containerPort: 9187
          readinessProbe:
            httpGet: {{path: /healthz, port: metrics}}
      volumes:
        - name: config
          configMap:
            name: {name}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        resources:
          requests:
            storage: {replicas}Gi
",
        replicas = 1 + number % 5,
        checksum = number * 7919,
        patch = number % 10,
    )
}
