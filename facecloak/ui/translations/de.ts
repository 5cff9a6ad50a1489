<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>FaceCloak</name>
    <message>
        <source>{strength} of the designed perturbation</source>
        <translation>{strength} des entworfenen Störmusters</translation>
    </message>
    <message>
        <source>at most {levels} of 255 levels</source>
        <translation>höchstens {levels} von 255 Stufen</translation>
    </message>
    <message>
        <source>{percent} % of the face's width</source>
        <translation>{percent} % der Gesichtsbreite</translation>
    </message>
    <message>
        <source>&amp;Strength</source>
        <translation>&amp;Stärke</translation>
    </message>
    <message>
        <source>&amp;Camera</source>
        <translation>&amp;Kamera</translation>
    </message>
    <message>
        <source>&amp;Resolution</source>
        <translation>&amp;Auflösung</translation>
    </message>
    <message>
        <source>Pert&amp;urbation</source>
        <translation>Störm&amp;uster</translation>
    </message>
    <message>
        <source>When &amp;nobody is there</source>
        <translation>Wenn &amp;niemand da ist</translation>
    </message>
    <message>
        <source>When a classifier still re&amp;ads the face</source>
        <translation>Wenn ein Klassifikator das Gesicht noch &amp;liest</translation>
    </message>
    <message>
        <source>S&amp;tart in</source>
        <translation>S&amp;tarten</translation>
    </message>
    <message>
        <source>&amp;Language (from the next start)</source>
        <translation>S&amp;prache (ab dem nächsten Start)</translation>
    </message>
    <message>
        <source>the demo portrait</source>
        <translation>das Vorführbild</translation>
    </message>
    <message>
        <source>show the still picture</source>
        <translation>Standbild zeigen</translation>
    </message>
    <message>
        <source>show the room</source>
        <translation>den Raum zeigen</translation>
    </message>
    <message>
        <source>tell me</source>
        <translation>es mir sagen</translation>
    </message>
    <message>
        <source>the window</source>
        <translation>im Fenster</translation>
    </message>
    <message>
        <source>the tray only</source>
        <translation>nur im Infobereich</translation>
    </message>
    <message>
        <source>of the desktop</source>
        <translation>die des Desktops</translation>
    </message>
    <message>
        <source>reads {clean}, from what is sent {sent}</source>
        <translation>liest {clean}, aus dem gesendeten Bild {sent}</translation>
    </message>
    <message>
        <source>every expression</source>
        <translation>jeden Ausdruck</translation>
    </message>
    <message>
        <source>pattern fitted to the face</source>
        <translation>Muster dem Gesicht angepasst</translation>
    </message>
    <message>
        <source>pattern against: {labels}</source>
        <translation>Muster gegen: {labels}</translation>
    </message>
    <message>
        <source>Hidden: the camera is off</source>
        <translation>Versteckt: die Kamera ist aus</translation>
    </message>
    <message>
        <source>A classifier still reads this face, and nothing stronger is allowed.</source>
        <translation>Ein Klassifikator liest dieses Gesicht noch, und Stärkeres ist nicht erlaubt.</translation>
    </message>
    <message>
        <source>The strength was raised to {strength}, because a classifier read this face.</source>
        <translation>Die Stärke wurde auf {strength} erhöht, weil ein Klassifikator dieses Gesicht las.</translation>
    </message>
    <message>
        <source>No face is found.</source>
        <translation>Es wird kein Gesicht gefunden.</translation>
    </message>
    <message>
        <source>Protected</source>
        <translation>Geschützt</translation>
    </message>
    <message>
        <source>Shielded: the call sees a still picture</source>
        <translation>Abgeschirmt: im Gespräch ist ein Standbild zu sehen</translation>
    </message>
    <message>
        <source>PROTECTION IS OFF: the call will see your face as it is</source>
        <translation>SCHUTZ IST AUS: Das Gespräch wird Ihr Gesicht sehen, wie es ist</translation>
    </message>
    <message>
        <source>PROTECTION IS OFF: the call sees your face as it is</source>
        <translation>SCHUTZ IST AUS: im Gespräch ist Ihr Gesicht zu sehen, wie es ist</translation>
    </message>
    <message>
        <source>Waiting: something does not work</source>
        <translation>Wartet: etwas funktioniert nicht</translation>
    </message>
    <message>
        <source>Waiting: the camera is off until a call shows it</source>
        <translation>Wartet: die Kamera ist aus, bis ein Gespräch sie zeigt</translation>
    </message>
    <message>
        <source>fooled {percent} % of the last 10 s</source>
        <translation>in {percent} % der letzten 10 s getäuscht</translation>
    </message>
    <message>
        <source>{fps} frames per second</source>
        <translation>{fps} Bilder je Sekunde</translation>
    </message>
    <message>
        <source>{ms} ms delay</source>
        <translation>{ms} ms Verzögerung</translation>
    </message>
    <message>
        <source>{db} dB PSNR of the face</source>
        <translation>{db} dB PSNR des Gesichts</translation>
    </message>
    <message>
        <source>Open &amp;window</source>
        <translation>&amp;Fenster öffnen</translation>
    </message>
    <message>
        <source>&amp;Protect my face</source>
        <translation>Mein &amp;Gesicht schützen</translation>
    </message>
    <message>
        <source>&amp;Hide me</source>
        <translation>&amp;Verstecken</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>Show your face as it is?</source>
        <translation>Ihr Gesicht zeigen, wie es ist?</translation>
    </message>
    <message>
        <source>Everybody in the call, and every program that watches it, can then read your face.</source>
        <translation>Alle im Gespräch, und jedes Programm, das zusieht, können dann Ihr Gesicht lesen.</translation>
    </message>
    <message>
        <source>&amp;Keep protecting</source>
        <translation>&amp;Weiter schützen</translation>
    </message>
    <message>
        <source>Switch &amp;off</source>
        <translation>&amp;Ausschalten</translation>
    </message>
    <message>
        <source>&amp;Before (hold)</source>
        <translation>V&amp;orher (halten)</translation>
    </message>
    <message>
        <source>&amp;Difference x 10 (hold)</source>
        <translation>&amp;Differenz x 10 (halten)</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Start with the des&amp;ktop</source>
        <translation>Mit dem D&amp;esktop starten</translation>
    </message>
    <message>
        <source>How often {name} was fooled</source>
        <translation>Wie oft {name} getäuscht wurde</translation>
    </message>
    <message>
        <source>angry</source>
        <translation>wütend</translation>
    </message>
    <message>
        <source>disgust</source>
        <translation>angewidert</translation>
    </message>
    <message>
        <source>fear</source>
        <translation>ängstlich</translation>
    </message>
    <message>
        <source>happy</source>
        <translation>fröhlich</translation>
    </message>
    <message>
        <source>sad</source>
        <translation>traurig</translation>
    </message>
    <message>
        <source>negative</source>
        <translation>negativ</translation>
    </message>
    <message>
        <source>positive</source>
        <translation>positiv</translation>
    </message>
    <message>
        <source>surprise</source>
        <translation>überrascht</translation>
    </message>
    <message>
        <source>neutral</source>
        <translation>neutral</translation>
    </message>
</context>
<context>
    <name>Errors</name>
    <message>
        <source>There is no gradient in models/gradients/ to fit a perturbation with.</source>
        <translation>In models/gradients/ ist kein Gradient, um ein Muster anzupassen.</translation>
    </message>
    <message>
        <source>Reinstall FaceCloak, or switch that off by --tailor off.</source>
        <translation>Installieren Sie FaceCloak neu, oder schalten Sie das mit --tailor off ab.</translation>
    </message>
    <message>
        <source>{0} is a classifier, not the gradient of one.</source>
        <translation>{0} ist ein Klassifikator, nicht der Gradient eines solchen.</translation>
    </message>
    <message>
        <source>Make it with `facecloak-train export-gradient`.</source>
        <translation>Erstellen Sie ihn mit `facecloak-train export-gradient`.</translation>
    </message>
    <message>
        <source>There is no classifier of still faces in models/.</source>
        <translation>In models/ ist kein Klassifikator für stehende Bilder von Gesichtern.</translation>
    </message>
    <message>
        <source>Reinstall FaceCloak.</source>
        <translation>Installieren Sie FaceCloak neu.</translation>
    </message>
    <message>
        <source>The source handed over an empty picture.</source>
        <translation>Die Kamera oder Datei hat ein leeres Bild geliefert.</translation>
    </message>
    <message>
        <source>The source handed over {0}{1}, which is no picture.</source>
        <translation>Die Kamera oder Datei hat {0}{1} geliefert; das ist kein Bild.</translation>
    </message>
    <message>
        <source>Camera {0} did not open.</source>
        <translation>Kamera {0} ließ sich nicht öffnen.</translation>
    </message>
    <message>
        <source>Camera {0} has shown nothing for {1} seconds.</source>
        <translation>Kamera {0} zeigt seit {1} Sekunden nichts.</translation>
    </message>
    <message>
        <source>Camera {0} stopped.</source>
        <translation>Kamera {0} ist stehen geblieben.</translation>
    </message>
    <message>
        <source>Choose another one (--source): facecloak devices lists them.</source>
        <translation>Wählen Sie eine andere (--source): facecloak devices nennt sie.</translation>
    </message>
    <message>
        <source>Close other programs that use it, and allow camera access.</source>
        <translation>Schließen Sie andere Programme, die sie benutzen, und erlauben Sie den Zugriff auf die Kamera.</translation>
    </message>
    <message>
        <source>Close other programs that use it, or name another device.</source>
        <translation>Schließen Sie andere Programme, die sie benutzen, oder wählen Sie ein anderes Gerät.</translation>
    </message>
    <message>
        <source>Close the program that uses it (fuser -v {0} names it), or name another device.</source>
        <translation>Schließen Sie das Programm, das sie benutzt (fuser -v {0} nennt es), oder wählen Sie ein anderes Gerät.</translation>
    </message>
    <message>
        <source>No {0}/video* exists: connect a camera.</source>
        <translation>Es gibt kein {0}/video*: Schließen Sie eine Kamera an.</translation>
    </message>
    <message>
        <source>OpenCV can no longer read camera {0}.</source>
        <translation>OpenCV kann Kamera {0} nicht mehr lesen.</translation>
    </message>
    <message>
        <source>Reconnect it, or close the program that took it.</source>
        <translation>Schließen Sie sie wieder an, oder beenden Sie das Programm, das sie genommen hat.</translation>
    </message>
    <message>
        <source>Run: sudo usermod -aG video $USER, then log in again.</source>
        <translation>Führen Sie aus: sudo usermod -aG video $USER, und melden Sie sich dann neu an.</translation>
    </message>
    <message>
        <source>The camera {0} is busy or gives no pictures.</source>
        <translation>Die Kamera {0} ist belegt oder liefert keine Bilder.</translation>
    </message>
    <message>
        <source>The camera {0} opened but shows no picture.</source>
        <translation>Die Kamera {0} ließ sich öffnen, zeigt aber kein Bild.</translation>
    </message>
    <message>
        <source>There is no camera {0}.</source>
        <translation>Es gibt keine Kamera {0}.</translation>
    </message>
    <message>
        <source>These exist: {0}.</source>
        <translation>Es gibt: {0}.</translation>
    </message>
    <message>
        <source>You may not use the camera {0}.</source>
        <translation>Sie dürfen die Kamera {0} nicht benutzen.</translation>
    </message>
    <message>
        <source>{0} is FaceCloak's own camera.</source>
        <translation>{0} ist die Kamera von FaceCloak selbst.</translation>
    </message>
    <message>
        <source>Check the name and that it is a picture file.</source>
        <translation>Prüfen Sie den Namen, und ob es eine Bilddatei ist.</translation>
    </message>
    <message>
        <source>Copy or download it again.</source>
        <translation>Kopieren oder laden Sie sie noch einmal.</translation>
    </message>
    <message>
        <source>Use one of {0}.</source>
        <translation>Nehmen Sie eines von {0}.</translation>
    </message>
    <message>
        <source>{0} cannot be read: {1}.</source>
        <translation>{0} kann nicht gelesen werden: {1}.</translation>
    </message>
    <message>
        <source>{0} is not a picture that can be read.</source>
        <translation>{0} ist kein Bild, das gelesen werden kann.</translation>
    </message>
    <message>
        <source>{0} stops in the middle of the picture.</source>
        <translation>{0} hört mitten im Bild auf.</translation>
    </message>
    <message>
        <source>Check that the whole file is there, or convert it with: ffmpeg -i IN OUT.mp4</source>
        <translation>Prüfen Sie, ob die Datei ganz da ist, oder wandeln Sie sie um: ffmpeg -i IN OUT.mp4</translation>
    </message>
    <message>
        <source>Check the name and that it is a video file.</source>
        <translation>Prüfen Sie den Namen, und ob es eine Videodatei ist.</translation>
    </message>
    <message>
        <source>Name a video file.</source>
        <translation>Nennen Sie eine Videodatei.</translation>
    </message>
    <message>
        <source>{0} has no frame that can be decoded.</source>
        <translation>{0} hat kein Bild, das entschlüsselt werden kann.</translation>
    </message>
    <message>
        <source>{0} has no picture, only sound or text.</source>
        <translation>{0} hat kein Bild, nur Ton oder Text.</translation>
    </message>
    <message>
        <source>{0} is empty.</source>
        <translation>{0} ist leer.</translation>
    </message>
    <message>
        <source>{0} is not a video that can be read.</source>
        <translation>{0} ist kein Video, das gelesen werden kann.</translation>
    </message>
    <message>
        <source>{0} is damaged after frame {1}.</source>
        <translation>{0} ist nach Bild {1} beschädigt.</translation>
    </message>
    <message>
        <source>{0} ends after frame {1}.</source>
        <translation>{0} endet nach Bild {1}.</translation>
    </message>
    <message>
        <source>A strength of {0} is not possible.</source>
        <translation>Eine Stärke von {0} ist nicht möglich.</translation>
    </message>
    <message>
        <source>A strength of {0} would bend faces too far.</source>
        <translation>Eine Stärke von {0} würde Gesichter zu weit verbiegen.</translation>
    </message>
    <message>
        <source>A strength of {0} would change no pixel.</source>
        <translation>Eine Stärke von {0} würde kein Pixel ändern.</translation>
    </message>
    <message>
        <source>A strength of {0} would change pixels by more than {1} levels.</source>
        <translation>Eine Stärke von {0} würde Pixel um mehr als {1} Stufen ändern.</translation>
    </message>
    <message>
        <source>Choose at least {0}.</source>
        <translation>Wählen Sie mindestens {0}.</translation>
    </message>
    <message>
        <source>Choose at most {0}.</source>
        <translation>Wählen Sie höchstens {0}.</translation>
    </message>
    <message>
        <source>Choose more than 0 and at most {0}.</source>
        <translation>Wählen Sie mehr als 0 und höchstens {0}.</translation>
    </message>
    <message>
        <source>Reinstall FaceCloak, or use --device cpu.</source>
        <translation>Installieren Sie FaceCloak neu, oder nehmen Sie --device cpu.</translation>
    </message>
    <message>
        <source>The compositor answers in another form than it should.</source>
        <translation>Der Bildmischer antwortet in anderer Form, als er soll.</translation>
    </message>
    <message>
        <source>OpenCV could not cloak a frame of {0}x{1} pixels.</source>
        <translation>OpenCV konnte ein Bild von {0}x{1} Pixeln nicht schützen.</translation>
    </message>
    <message>
        <source>Use a smaller picture.</source>
        <translation>Nehmen Sie ein kleineres Bild.</translation>
    </message>
    <message>
        <source>Correct `hotkey` in the settings file.</source>
        <translation>Berichtigen Sie `hotkey` in der Einstellungsdatei.</translation>
    </message>
    <message>
        <source>{0} is no hotkey; one is like ctrl+alt+h, or none.</source>
        <translation>{0} ist keine Tastenkombination; eine ist wie ctrl+alt+h, oder none.</translation>
    </message>
    <message>
        <source>Give a file, or one of these: {0}.</source>
        <translation>Nennen Sie eine Datei, oder eines von diesen: {0}.</translation>
    </message>
    <message>
        <source>Reinstall FaceCloak, or make one with `facecloak-train export`.</source>
        <translation>Installieren Sie FaceCloak neu, oder erzeugen Sie einen mit `facecloak-train export`.</translation>
    </message>
    <message>
        <source>There is no classifier in models/.</source>
        <translation>In models/ ist kein Klassifikator.</translation>
    </message>
    <message>
        <source>There is no perturbation called {0}.</source>
        <translation>Es gibt kein Störmuster namens {0}.</translation>
    </message>
    <message>
        <source>This installation holds no {0}.</source>
        <translation>Dieser Installation fehlt der Ordner {0}.</translation>
    </message>
    <message>
        <source>Reinstall FaceCloak, or export the model again with `facecloak-train export`.</source>
        <translation>Installieren Sie FaceCloak neu, oder exportieren Sie das Modell noch einmal mit `facecloak-train export`.</translation>
    </message>
    <message>
        <source>The card of {0} cannot be used: {1}.</source>
        <translation>Die Karte von {0} ist nicht zu gebrauchen: {1}.</translation>
    </message>
    <message>
        <source>{0} carries no FaceCloak card, so its classes and input are unknown.</source>
        <translation>{0} trägt keine Karte von FaceCloak; so sind Klassen und Eingabe unbekannt.</translation>
    </message>
    <message>
        <source>{0} is not the file its card describes: the digests differ.</source>
        <translation>{0} ist nicht die Datei, die ihre Karte beschreibt: die Prüfsummen sind verschieden.</translation>
    </message>
    <message>
        <source>Make it again with `facecloak-train attack`, or reinstall FaceCloak.</source>
        <translation>Erzeugen Sie es noch einmal mit `facecloak-train attack`, oder installieren Sie FaceCloak neu.</translation>
    </message>
    <message>
        <source>{0} cannot be read as a perturbation: it is damaged or not safetensors.</source>
        <translation>{0} kann nicht als Störmuster gelesen werden: es ist beschädigt oder kein safetensors.</translation>
    </message>
    <message>
        <source>{0} cannot be read as a perturbation: there is no such file.</source>
        <translation>{0} kann nicht als Störmuster gelesen werden: es gibt keine solche Datei.</translation>
    </message>
    <message>
        <source>{0} is not a perturbation that keeps its own header: {1}.</source>
        <translation>{0} ist kein Störmuster, das hält, was sein Kopf verspricht: {1}.</translation>
    </message>
    <message>
        <source>MediaPipe cannot load its face models ({0}).</source>
        <translation>MediaPipe kann seine Gesichtsmodelle nicht laden ({0}).</translation>
    </message>
    <message>
        <source>MediaPipe failed on a frame of {0}x{1} pixels.</source>
        <translation>MediaPipe scheiterte an einem Bild von {0}x{1} Pixeln.</translation>
    </message>
    <message>
        <source>OpenCV failed on a frame of {0}x{1} pixels.</source>
        <translation>OpenCV scheiterte an einem Bild von {0}x{1} Pixeln.</translation>
    </message>
    <message>
        <source>Reinstall it: pip install --force-reinstall 'mediapipe&gt;=0.10.14,&lt;0.10.30'.</source>
        <translation>Installieren Sie es neu: pip install --force-reinstall 'mediapipe&gt;=0.10.14,&lt;0.10.30'.</translation>
    </message>
    <message>
        <source>Start again; if it stays, Reinstall it: pip install --force-reinstall 'mediapipe&gt;=0.10.14,&lt;0.10.30'.</source>
        <translation>Starten Sie neu; wenn es bleibt, installieren Sie es neu: pip install --force-reinstall 'mediapipe&gt;=0.10.14,&lt;0.10.30'.</translation>
    </message>
    <message>
        <source>CUDA was asked for, but ONNX Runtime cannot use it on this machine.</source>
        <translation>CUDA war verlangt, aber ONNX Runtime kann es auf diesem Rechner nicht benutzen.</translation>
    </message>
    <message>
        <source>Choose one of {0}.</source>
        <translation>Wählen Sie eines von {0}.</translation>
    </message>
    <message>
        <source>Install a new NVIDIA driver and `pip install 'onnxruntime-gpu[cuda,cudnn]'`, or use --device cpu.</source>
        <translation>Installieren Sie einen neuen NVIDIA-Treiber und führen Sie `pip install 'onnxruntime-gpu[cuda,cudnn]'` aus, oder nehmen Sie --device cpu.</translation>
    </message>
    <message>
        <source>Start again, with --device cpu if it stays.</source>
        <translation>Starten Sie neu; wenn es bleibt, mit --device cpu.</translation>
    </message>
    <message>
        <source>There is no device called {0}.</source>
        <translation>Es gibt keine Recheneinheit namens {0}.</translation>
    </message>
    <message>
        <source>{0} cannot be read from {1}.</source>
        <translation>{0} kann nicht von {1} gelesen werden.</translation>
    </message>
    <message>
        <source>{0} failed to run on {1}.</source>
        <translation>{0} ist auf {1} gescheitert.</translation>
    </message>
    <message>
        <source>{0} is damaged or not an ONNX model.</source>
        <translation>{0} ist beschädigt oder kein ONNX-Modell.</translation>
    </message>
    <message>
        <source>{0} takes no more data.</source>
        <translation>{0} nimmt keine Daten mehr an.</translation>
    </message>
    <message>
        <source>Check its cable and whether another application uses it, then start again.</source>
        <translation>Prüfen Sie das Kabel, und ob ein anderes Programm sie benutzt; starten Sie dann neu.</translation>
    </message>
    <message>
        <source>The camera has sent no picture for {0} s.</source>
        <translation>Die Kamera hat seit {0} s kein Bild geschickt.</translation>
    </message>
    <message>
        <source>An error of FaceCloak itself ended the session ({0}).</source>
        <translation>Ein Fehler von FaceCloak selbst hat die Sitzung beendet ({0}).</translation>
    </message>
    <message>
        <source>FaceCloak has not finished a picture for more than a second; the slate is shown.</source>
        <translation>FaceCloak ist seit mehr als einer Sekunde mit keinem Bild fertig geworden; das Standbild wird gezeigt.</translation>
    </message>
    <message>
        <source>If it stays so, quit FaceCloak and start it again.</source>
        <translation>Wenn es so bleibt, beenden Sie FaceCloak und starten Sie es neu.</translation>
    </message>
    <message>
        <source>Start FaceCloak again, with --debug to see where.</source>
        <translation>Starten Sie FaceCloak neu, mit --debug, um zu sehen, wo.</translation>
    </message>
    <message>
        <source>Correct them and start again.</source>
        <translation>Berichtigen Sie sie und starten Sie neu.</translation>
    </message>
    <message>
        <source>It was renamed to {0} and the defaults are used.</source>
        <translation>Die Datei wurde in {0} umbenannt, und die Vorgaben gelten.</translation>
    </message>
    <message>
        <source>Make room, or allow writing there.</source>
        <translation>Schaffen Sie Platz, oder erlauben Sie, dort zu schreiben.</translation>
    </message>
    <message>
        <source>Some settings cannot be used. {0}.</source>
        <translation>Manche Einstellungen sind nicht zu gebrauchen. {0}.</translation>
    </message>
    <message>
        <source>The settings cannot be saved in {0}: {1}.</source>
        <translation>Die Einstellungen können nicht in {0} gespeichert werden: {1}.</translation>
    </message>
    <message>
        <source>A GIF has too few colours for a face. Use one of {0}.</source>
        <translation>Ein GIF hat zu wenige Farben für ein Gesicht. Nehmen Sie eines von {0}.</translation>
    </message>
    <message>
        <source>Install pyvirtualcam, or use another sink.</source>
        <translation>Installieren Sie pyvirtualcam, oder nehmen Sie eine andere Ausgabe.</translation>
    </message>
    <message>
        <source>Install the missing library, or use another sink.</source>
        <translation>Installieren Sie die fehlende Bibliothek, oder nehmen Sie eine andere Ausgabe.</translation>
    </message>
    <message>
        <source>The preview window cannot be loaded: {0}.</source>
        <translation>Das Vorschaufenster kann nicht geladen werden: {0}.</translation>
    </message>
    <message>
        <source>Virtual cameras cannot be used here: {0}.</source>
        <translation>Virtuelle Kameras sind hier nicht zu benutzen: {0}.</translation>
    </message>
    <message>
        <source>{0} names no format that can be written.</source>
        <translation>{0} nennt kein Format, das geschrieben werden kann.</translation>
    </message>
    <message>
        <source>Free some space, or name a folder that you may write to.</source>
        <translation>Schaffen Sie Platz, oder nennen Sie einen Ordner, in den Sie schreiben dürfen.</translation>
    </message>
    <message>
        <source>Make the folder {0} first.</source>
        <translation>Legen Sie zuerst den Ordner {0} an.</translation>
    </message>
    <message>
        <source>Name a file.</source>
        <translation>Nennen Sie eine Datei.</translation>
    </message>
    <message>
        <source>{0} cannot be written: there is no such folder.</source>
        <translation>{0} kann nicht geschrieben werden: Es gibt keinen solchen Ordner.</translation>
    </message>
    <message>
        <source>{0} cannot be written: {1}.</source>
        <translation>{0} kann nicht geschrieben werden: {1}.</translation>
    </message>
    <message>
        <source>{0} is a folder.</source>
        <translation>{0} ist ein Ordner.</translation>
    </message>
    <message>
        <source>Name a video file, such as out.mp4.</source>
        <translation>Nennen Sie eine Videodatei, etwa out.mp4.</translation>
    </message>
    <message>
        <source>Use .png.</source>
        <translation>Nehmen Sie .png.</translation>
    </message>
    <message>
        <source>{0} cannot hold {1}x{2} pixels.</source>
        <translation>{0} kann keine {1}x{2} Pixel aufnehmen.</translation>
    </message>
    <message>
        <source>{0} holds one frame, and there are more.</source>
        <translation>{0} nimmt ein Bild auf, und es gibt mehr.</translation>
    </message>
    <message>
        <source>The preview window was closed.</source>
        <translation>Das Vorschaufenster wurde geschlossen.</translation>
    </message>
    <message>
        <source>A video file has one size: start a new one.</source>
        <translation>Eine Videodatei hat eine einzige Größe: Beginnen Sie eine neue.</translation>
    </message>
    <message>
        <source>A video has a positive number of frames a second, got {0}.</source>
        <translation>Ein Video hat eine positive Zahl von Bildern je Sekunde, nicht {0}.</translation>
    </message>
    <message>
        <source>The frames changed from {0} to {1}x{2}.</source>
        <translation>Die Größe der Bilder wechselte von {0} zu {1}x{2}.</translation>
    </message>
    <message>
        <source>A virtual camera has one size: start again.</source>
        <translation>Eine virtuelle Kamera hat eine einzige Größe: Starten Sie neu.</translation>
    </message>
    <message>
        <source>Another program writes to {0}, or it is a real camera.</source>
        <translation>Ein anderes Programm schreibt auf {0}, oder es ist eine wirkliche Kamera.</translation>
    </message>
    <message>
        <source>Close it; this names it: fuser -v {0}</source>
        <translation>Schließen Sie es; so finden Sie seinen Namen: fuser -v {0}</translation>
    </message>
    <message>
        <source>Load its driver again.</source>
        <translation>Laden Sie ihren Treiber neu.</translation>
    </message>
    <message>
        <source>No virtual camera could be opened ({0}).</source>
        <translation>Keine virtuelle Kamera ließ sich öffnen ({0}).</translation>
    </message>
    <message>
        <source>Run: facecloak camera install</source>
        <translation>Führen Sie aus: facecloak camera install</translation>
    </message>
    <message>
        <source>The frames changed from {0}x{1} to {2}x{3}.</source>
        <translation>Die Größe der Bilder wechselte von {0}x{1} zu {2}x{3}.</translation>
    </message>
    <message>
        <source>The virtual camera takes no more frames ({0}).</source>
        <translation>Die virtuelle Kamera nimmt keine Bilder mehr an ({0}).</translation>
    </message>
    <message>
        <source>There is no virtual camera labelled "{0}".</source>
        <translation>Es gibt keine virtuelle Kamera mit dem Namen „{0}“.</translation>
    </message>
    <message>
        <source>You may not write to {0}.</source>
        <translation>Sie dürfen nicht auf {0} schreiben.</translation>
    </message>
    <message>
        <source>{0} is no virtual camera that can be opened ({1}).</source>
        <translation>{0} ist keine virtuelle Kamera, die sich öffnen lässt ({1}).</translation>
    </message>
    <message>
        <source>A yuv4mpeg stream has one size: start again.</source>
        <translation>Ein yuv4mpeg-Strom hat eine einzige Größe: Starten Sie neu.</translation>
    </message>
    <message>
        <source>Check the program that reads it.</source>
        <translation>Prüfen Sie das Programm, das ihn liest.</translation>
    </message>
    <message>
        <source>Pipe it: facecloak run --sink - | ffplay -</source>
        <translation>Leiten Sie sie weiter: facecloak run --sink - | ffplay -</translation>
    </message>
    <message>
        <source>Standard output cannot be written: {0}.</source>
        <translation>Auf die Standardausgabe kann nicht geschrieben werden: {0}.</translation>
    </message>
    <message>
        <source>Standard output is a terminal, and a video would fill it with noise.</source>
        <translation>Die Standardausgabe ist ein Terminal, und ein Video würde es mit Rauschen füllen.</translation>
    </message>
    <message>
        <source>The reader closed the pipe.</source>
        <translation>Der Leser hat die Leitung geschlossen.</translation>
    </message>
    <message>
        <source>Allow writing there, or set it in the system's settings.</source>
        <translation>Erlauben Sie, dort zu schreiben, oder stellen Sie es in den Einstellungen des Systems ein.</translation>
    </message>
    <message>
        <source>Starting with the desktop cannot be changed: {0}.</source>
        <translation>Das Starten mit dem Desktop lässt sich nicht ändern: {0}.</translation>
    </message>
    <message>
        <source>OpenCV could not crop a face from {0}x{1} pixels.</source>
        <translation>OpenCV konnte kein Gesicht aus {0}x{1} Pixeln ausschneiden.</translation>
    </message>
    <message>
        <source>{0} does not answer as its card says.</source>
        <translation>{0} antwortet nicht so, wie seine Karte es sagt.</translation>
    </message>
</context>
<context>
    <name>System</name>
    <message>
        <source>No space left on device</source>
        <translation>kein Platz mehr auf dem Datenträger</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>der Zugriff ist nicht erlaubt</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>es gibt keine solche Datei</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>auf diesen Datenträger darf nicht geschrieben werden</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>Ihr Anteil am Datenträger ist voll</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>das Gerät hat einen Fehler gemeldet</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>es ist ein Ordner</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>ein Teil des Pfades ist kein Ordner</translation>
    </message>
    <message>
        <source>Device or resource busy</source>
        <translation>das Gerät ist belegt</translation>
    </message>
    <message>
        <source>No such device</source>
        <translation>es gibt kein solches Gerät</translation>
    </message>
</context>
</TS>
