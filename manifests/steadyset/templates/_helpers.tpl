{{/* The name of everything: the release's, unless it says nothing of the chart. */}}
{{- define "steadyset.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods; never changes. */}}
{{- define "steadyset.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "steadyset.labels" -}}
{{ include "steadyset.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of what grants rights: `kubectl apply -l app.kubernetes.io/component=access` takes these alone. */}}
{{- define "steadyset.accessLabels" -}}
{{ include "steadyset.labels" . }}
app.kubernetes.io/component: access
{{- end -}}

{{- define "steadyset.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "steadyset.name" .) -}}
{{- end -}}

{{/*
The Secret with the serving certificate. Each mode has a name of its own: what another mode left would be taken for a
stranger's, and a release that changes its mode would never be ready.
*/}}
{{- define "steadyset.secret" -}}
{{- $kept := ternary "self-signed" "tls" (eq .Values.certificates.mode "self-signed") -}}
{{- .Values.certificates.secretName | default (printf "%s-%s" (include "steadyset.name" .) $kept) -}}
{{- end -}}

{{- define "steadyset.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Combinations that cannot work. */}}
{{- define "steadyset.refuse" -}}
{{- if and (eq .Values.webhook.failurePolicy "Fail") (lt (int .Values.replicas) 2) -}}
{{- fail "webhook.failurePolicy is Fail and replicas is below 2: while the one pod restarts no StatefulSet can be created; write replicas: 2 or more, or failurePolicy: Ignore" -}}
{{- end -}}
{{- if and (eq .Values.certificates.mode "secret") (not .Values.certificates.secretName) -}}
{{- fail "certificates.mode is secret and no Secret is named; write certificates.secretName" -}}
{{- end -}}
{{- if and .Values.certificates.issuerRef (ne .Values.certificates.mode "cert-manager") -}}
{{- fail (printf "certificates.issuerRef is read with certificates.mode: cert-manager only, and the mode is %s" .Values.certificates.mode) -}}
{{- end -}}
{{- if and .Values.podMonitor.enabled .Values.serviceMonitor.enabled -}}
{{- fail "podMonitor and serviceMonitor are both enabled: every sample would be stored twice; enable one of them" -}}
{{- end -}}
{{- if eq (int .Values.ports.webhook) (int .Values.ports.probes) -}}
{{- fail "ports.webhook and ports.probes are the same; both listen in one pod, so write two different ports" -}}
{{- end -}}
{{- end -}}

{{/*
One entry of a webhook configuration: dict "root", "path" (mutate, validate), "operation" (CREATE, UPDATE).
An entry for each operation, because to miss a CREATE is for ever (serviceName and volumeClaimTemplates cannot change
later) and to miss an UPDATE is not. The names are for ever: the pods own the caBundle of each entry, so that server-side apply
could not take away an entry that was called otherwise.
*/}}
{{- define "steadyset.webhook" -}}
{{- $values := .root.Values.webhook -}}
- name: {{ .path }}-{{ lower .operation }}.steadyset.io
  # no caBundle: who keeps the certificate publishes it here, and an upgrade leaves it as it is
  clientConfig:
    service:
      namespace: {{ .root.Release.Namespace }}
      name: {{ include "steadyset.name" .root }}
      path: /{{ .path }}
      port: {{ .root.Values.service.port }}
  rules:
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [{{ .operation }}]
      resources: [statefulsets]
      scope: Namespaced
  admissionReviewVersions: [v1]
  failurePolicy: {{ ternary $values.failurePolicy "Ignore" (eq .operation "CREATE") }}
  matchPolicy: Equivalent
  {{- if eq .path "mutate" }}
  reinvocationPolicy: IfNeeded
  {{- end }}
  sideEffects: None
  timeoutSeconds: {{ $values.timeoutSeconds }}
  namespaceSelector:
    {{- with $values.namespaceSelector.matchLabels }}
    matchLabels:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: NotIn
        values:
          {{- append $values.excludedNamespaces .root.Release.Namespace | uniq | toYaml | nindent 10 }}
      {{- with $values.namespaceSelector.matchExpressions }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  {{- with $values.objectSelector }}
  objectSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .operation "UPDATE" }}
  matchConditions:
    # what has no say: a set that is going away, and a write that leaves the spec as it is
    - name: not-deleting
      expression: "!has(object.metadata.deletionTimestamp)"
    - name: spec-changed
      expression: object.spec != oldObject.spec
  {{- end }}
{{- end -}}
