{{- define "aige.name" -}}
{{- .Release.Name | trunc 47 | trimSuffix "-" -}}
{{- end }}

{{- define "aige.selector" -}}
app.kubernetes.io/part-of: aige
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "aige.labels" -}}
{{ include "aige.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "aige.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* What no schema can say. */}}
{{- define "aige.check" -}}
{{- if and .Values.haproxy.enabled (not .Values.networkPolicy.enabled) -}}
{{- fail "haproxy.enabled opens ports without a password: it needs networkPolicy.enabled" -}}
{{- end -}}
{{- if and (gt (int .Values.workers.maxReplicas) (int .Values.workers.replicas)) (not .Values.workers.autoscaling) -}}
{{- fail "workers.maxReplicas above workers.replicas needs workers.autoscaling" -}}
{{- end -}}
{{- if lt (int .Values.workers.maxReplicas) (int .Values.workers.replicas) -}}
{{- fail "workers.maxReplicas is less than workers.replicas" -}}
{{- end -}}
{{- range list "storage" "s3" "journal" "public_url" -}}
{{- if hasKey $.Values.settings . -}}
{{- fail (printf "settings.%s: the chart sets it; use its own values (publicUrl, s3, journal)" .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* deploy/cluster.yaml, with what the values say. */}}
{{- define "aige.serveConfig" -}}
{{- $config := .Files.Get "files/cluster.yaml" | fromYaml -}}
{{- $app := first $config.applications -}}
{{- $s3 := dict "bucket" .Values.s3.bucket "region" .Values.s3.region -}}
{{- if .Values.s3.endpointUrl -}}{{- $_ := set $s3 "endpoint_url" .Values.s3.endpointUrl -}}{{- end -}}
{{- $_ := set $app.args "s3" $s3 -}}
{{- $_ := set $app.args "public_url" .Values.publicUrl -}}
{{- $_ := set $app.args "journal" .Values.journal.kind -}}
{{- $_ := set $app "args" (mergeOverwrite $app.args (deepCopy .Values.settings)) -}}
{{- $stage := sub (int .Values.drainSeconds) 30 -}}
{{- range $one := $app.deployments -}}
{{- if gt (int $one.graceful_shutdown_timeout_s) (int $stage) -}}
{{- $_ := set $one "graceful_shutdown_timeout_s" $stage -}}
{{- end -}}
{{- $_ := set $one.autoscaling_config "min_replicas" (min 2 (int $.Values.workers.replicas)) -}}
{{- $_ := set $one.autoscaling_config "max_replicas" (int $.Values.workers.maxReplicas) -}}
{{- $_ := mergeOverwrite $one (deepCopy (get $.Values.deployments $one.name | default dict)) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end }}

{{/* The environment of every node: deploy/cluster.env, and what follows from the values. */}}
{{- define "aige.env" -}}
{{- $drain := "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S" -}}
{{- range $line := splitList "\n" (.Files.Get "files/cluster.env") -}}
{{- $pair := splitn "=" 2 $line -}}
{{- $off := and (not $.Values.haproxy.enabled) (regexMatch "HA_?PROXY|THROUGHPUT|FALLBACK_PROXY" $pair._0) -}}
{{- if and $line (not (hasPrefix "#" $line)) (ne $pair._0 $drain) (not $off) -}}
- name: {{ $pair._0 }}
  value: {{ $pair._1 | quote }}
{{ end -}}
{{- end -}}
- name: {{ $drain }}
  value: {{ .Values.drainSeconds | quote }}
- name: AIGE_JOURNAL_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.journal.existingSecret }}
      key: {{ .Values.journal.key }}
{{- with .Values.allowHosts }}
- name: AIGE_ALLOW_HOSTS
  value: {{ . | quote }}
{{- end }}
{{- if .Values.c2pa.existingSecret }}
- name: AIGE_C2PA_CERT
  value: /etc/aige/c2pa/tls.crt
- name: AIGE_C2PA_KEY
  value: /etc/aige/c2pa/tls.key
{{- end }}
{{- with .Values.traces.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What head and workers share: the Pod but for its probes and resources. */}}
{{- define "aige.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "aige.podMetadata" -}}
labels:
  {{- include "aige.labels" . | nindent 2 }}
  {{- with .Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "aige.podSpec" -}}
terminationGracePeriodSeconds: {{ add (int .Values.drainSeconds) 30 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: tmp
    emptyDir: {}
  - name: data
    emptyDir: {}
  {{- if .Values.c2pa.existingSecret }}
  - name: c2pa
    secret:
      secretName: {{ .Values.c2pa.existingSecret }}
  {{- end }}
{{- end }}

{{- define "aige.container" -}}
image: {{ include "aige.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "aige.securityContext" . | nindent 2 }}
envFrom:
  - secretRef:
      name: {{ .Values.secrets.existingSecret }}
env:
  {{- include "aige.env" . | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: data
    mountPath: /var/lib/aige
  {{- if .Values.c2pa.existingSecret }}
  - name: c2pa
    mountPath: /etc/aige/c2pa
    readOnly: true
  {{- end }}
{{- end }}

{{/* deploy/prometheus/alerts.yaml, for this namespace alone: while any other AIGE reports, AigeDown would be silent. */}}
{{- define "aige.alerts" -}}
{{- $namespace := .Release.Namespace | quote -}}
{{- $metric := printf "${0}{namespace=%s}" $namespace -}}
{{- $labels := printf "labels: { namespace: %s, " $namespace -}}
{{- $rules := regexReplaceAll "ray_aige_\\w+" (.Files.Get "files/alerts.yaml") $metric -}}
{{- $rules | replace "}{" "," | replace "labels: { " $labels -}}
{{- end }}
