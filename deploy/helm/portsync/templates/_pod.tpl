{{- /* The pod, for the Deployment and for the CronJob; what differs is decided by workload.kind. */ -}}
{{- define "portsync.pod" -}}
{{- $isJob := eq .Values.workload.kind "CronJob" -}}
{{- $mapping := include "portsync.mappingConfigMap" . -}}
metadata:
  labels: {{- include "portsync.selector" . | nindent 4 }}
    {{- with .Values.extraLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- /* The service takes a new mapping by itself; new variables need a new pod. */}}
    checksum/variables: {{ omit .Values "mapping" "resources" "podAnnotations" | toJson | sha256sum | quote }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "portsync.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ int .Values.terminationGracePeriodSeconds }}
  {{- if $isJob }}
  restartPolicy: Never
  {{- end }}
  {{- with .Values.dnsPolicy }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with .Values.dnsConfig }}
  dnsConfig: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.extraInitContainers }}
  initContainers: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: portsync
      image: {{ include "portsync.image" . | quote }}
      imagePullPolicy: {{ .Values.imagePullPolicy }}
      args: [serve]
      {{- with .Values.containerSecurityContext }}
      securityContext: {{- toYaml . | nindent 8 }}
      {{- end }}
      envFrom:
        - configMapRef:
            name: {{ include "portsync.fullname" . }}
        {{- if include "portsync.ownSecret" . }}
        - secretRef:
            name: {{ include "portsync.fullname" . }}
        {{- else }}
        {{- $names := .Values.secret.name }}
        {{- if not $names }}{{ fail "secret.name is required when the chart does not make the Secret" }}{{ end }}
        {{- range (kindIs "slice" $names | ternary $names (list $names)) }}
        - secretRef:
            name: {{ . | quote }}
        {{- end }}
        {{- end }}
      {{- if or .Values.postgres.existingSecret .Values.extraEnv }}
      env:
        {{- with .Values.postgres.existingSecret }}
        - name: PORTSYNC_STATE
          valueFrom:
            secretKeyRef:
              name: {{ . | quote }}
              key: {{ $.Values.postgres.key | quote }}
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- if not $isJob }}
      ports:
        - name: http
          containerPort: 8000
      {{- if .Values.livenessProbe.enabled }}
      livenessProbe:
        httpGet:
          path: /healthz
          port: http
        {{- toYaml (omit .Values.livenessProbe "enabled") | nindent 8 }}
      {{- end }}
      {{- if .Values.readinessProbe.enabled }}
      readinessProbe:
        httpGet:
          path: /readyz
          port: http
        {{- toYaml (omit .Values.readinessProbe "enabled") | nindent 8 }}
      {{- end }}
      {{- end }}
      {{- with .Values.resources }}
      resources: {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: state
          mountPath: /home/portsync/state
        {{- if $mapping }}
        - name: mapping
          mountPath: /etc/portsync/mapping
          readOnly: true
        {{- end }}
        {{- if .Values.mapping.blueprintsConfigMap }}
        - name: blueprints
          mountPath: /etc/portsync/blueprints/mapping
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: state
      {{- if .Values.persistence.enabled }}
      persistentVolumeClaim:
        claimName: {{ default (include "portsync.fullname" .) .Values.persistence.existingClaim }}
      {{- else }}
      emptyDir: {}
      {{- end }}
    {{- if $mapping }}
    - name: mapping
      configMap:
        name: {{ $mapping | quote }}
        items:
          - key: {{ .Values.mapping.key | quote }}
            path: mapping.yaml
    {{- end }}
    {{- if .Values.mapping.blueprintsConfigMap }}
    - name: blueprints
      configMap:
        name: {{ .Values.mapping.blueprintsConfigMap | quote }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
