module steadyset.io/tools/oracle

go 1.26.0
