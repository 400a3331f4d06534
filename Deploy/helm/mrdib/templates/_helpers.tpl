{{/* The labels of a role: mrdib.labels (list CONTEXT ROLE). They also select its pods. */}}
{{- define "mrdib.labels" -}}
app.kubernetes.io/name: mrdib
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The labels of what belongs to all roles. */}}
{{- define "mrdib.common" -}}
app.kubernetes.io/name: mrdib
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
