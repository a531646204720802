{{/* Labels of one component: (dict "root" $ "component" "auth") */}}
{{- define "teleport.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "teleport.labels" -}}
{{ include "teleport.selector" . }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion }}
teleport.dev/majorVersion: {{ include "teleport.major" .root | quote }}
{{- end -}}

{{- define "teleport.major" -}}
{{ (semver .Chart.AppVersion).Major }}
{{- end -}}

{{- define "teleport.previousMajor" -}}
{{ sub (semver .Chart.AppVersion).Major 1 }}
{{- end -}}

{{/* The Auth Service's account has the release's name, without a suffix. */}}
{{- define "teleport.auth.account" -}}
{{ .Release.Name }}
{{- end -}}

{{- define "teleport.proxy.account" -}}
{{ .Release.Name }}-proxy
{{- end -}}

{{/* Proxies are two once more than one can answer for the certificate. */}}
{{- define "teleport.proxy.replicas" -}}
{{- $proxy := mustMergeOverwrite (mustDeepCopy .Values) .Values.proxy -}}
{{- if or $proxy.highAvailability.certManager.enabled $proxy.tls.existingSecretName $proxy.ingress.enabled -}}
{{ max 2 $proxy.highAvailability.replicaCount }}
{{- else -}}
1
{{- end -}}
{{- end -}}

{{- define "teleport.auth.config" -}}
{{- $aws := .Values.aws -}}
version: v3
kubernetes_service:
  enabled: true
  listen_addr: 0.0.0.0:3026
auth_service:
  enabled: true
  cluster_name: {{ required "clusterName is required in chart values" .Values.clusterName }}
{{- if eq .Values.proxyListenerMode "multiplex" }}
  proxy_listener_mode: multiplex
{{- end }}
proxy_service:
  enabled: false
ssh_service:
  enabled: false
teleport:
  auth_server: 127.0.0.1:3025
{{- if eq .Values.chartMode "aws" }}
  storage:
    type: dynamodb
    region: {{ required "aws.region is required in chartMode aws" $aws.region }}
    table_name: {{ required "aws.backendTable is required in chartMode aws" $aws.backendTable }}
    audit_events_uri: ['dynamodb://{{ required "aws.auditLogTable is required in chartMode aws" $aws.auditLogTable }}'{{ if $aws.auditLogMirrorOnStdout }}, 'stdout://'{{ end }}]
    audit_sessions_uri: s3://{{ required "aws.sessionRecordingBucket is required in chartMode aws" $aws.sessionRecordingBucket }}
    continuous_backups: {{ $aws.backups }}
{{- end }}
  log:
    severity: INFO
{{- end -}}
