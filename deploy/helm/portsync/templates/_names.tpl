{{- define "portsync.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "portsync.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "portsync.labels" -}}
{{ include "portsync.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- with .Values.extraLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "portsync.image" -}}
{{- $image := default (printf "portsync:%s" .Chart.AppVersion) .Values.image -}}
{{- if .Values.imageRegistry }}{{ .Values.imageRegistry | trimSuffix "/" }}/{{ end }}{{ $image -}}
{{- end -}}

{{- define "portsync.serviceAccount" -}}
{{- if .Values.podServiceAccount.create -}}
{{- default (include "portsync.fullname" .) .Values.podServiceAccount.name -}}
{{- else -}}
{{- default "default" .Values.podServiceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* Whether the chart makes the Secret: "true", or nothing. */ -}}
{{- define "portsync.ownSecret" -}}
{{- if and .Values.secret.create (not .Values.secret.useExistingSecret) }}true{{ end -}}
{{- end -}}

{{- define "portsync.mappingConfigMap" -}}
{{- if .Values.mapping.existingConfigMap -}}
{{- .Values.mapping.existingConfigMap -}}
{{- else if .Values.mapping.content -}}
{{- printf "%s-mapping" (include "portsync.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- /* The text of a variable. As JSON, a large number does not become 1e+06. */ -}}
{{- define "portsync.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}

{{- /* The schedule of a CronJob: a cron text, or minutes that divide an hour or a day. */ -}}
{{- define "portsync.cron" -}}
{{- $given := .Values.scheduledResyncInterval -}}
{{- $text := include "portsync.text" $given -}}
{{- if or (kindIs "invalid" $given) (eq $text "") -}}
{{- fail "scheduledResyncInterval is required for workload.kind CronJob: minutes, or a cron text" -}}
{{- else if not (regexMatch "^[0-9]+$" $text) -}}
{{- $text -}}
{{- else -}}
{{- $minutes := atoi $text -}}
{{- if eq $minutes 0 -}}
{{- fail "scheduledResyncInterval 0 is never: set workload.cron.suspend" -}}
{{- else if eq $minutes 1440 -}}
0 0 * * *
{{- else if and (lt $minutes 60) (eq (mod 60 $minutes) 0) -}}
*/{{ $minutes }} * * * *
{{- else if and (eq (mod $minutes 60) 0) (eq (mod 1440 $minutes) 0) -}}
0 */{{ div $minutes 60 }} * * *
{{- else -}}
{{- fail (printf "a CronJob cannot run every %d minutes: take minutes that divide an hour or a day, or a cron text" $minutes) -}}
{{- end -}}
{{- end -}}
{{- end -}}
